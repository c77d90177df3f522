// Numbers as the MLPerf Tiny protocol writes them, without printf: small C libraries leave floats
// out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mlperf {

constexpr size_t kNumberChars = 24;

// Decimal digits alone, 0..most; false on anything else.
bool parse_count(std::string_view text, uint32_t most, uint32_t* value);

// 0..15, or -1 on what is no hexadecimal digit.
int hex_digit(char c);

// Both return a view into `out`.
std::string_view decimal(uint64_t value, char (&out)[kNumberChars]);
// As printf("%.3f") does: to nearest, ties to even, of the exact value. Saturates at 10^9; "nan"
// for no number.
std::string_view three_decimals(float value, char (&out)[kNumberChars]);

}  // namespace mlperf
