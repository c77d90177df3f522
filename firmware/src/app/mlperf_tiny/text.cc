#include "app/mlperf_tiny/text.h"

namespace mlperf {
namespace {

constexpr double kLargest = 1e9;

// Writes `value` so that it ends before `end`, with at least `digits` digits; returns where it
// begins.
char* write_back(char* end, uint64_t value, int digits) {
  for (; digits > 0 || value > 0; --digits, value /= 10)
    *--end = static_cast<char>('0' + value % 10);
  return end;
}

}  // namespace

bool parse_count(std::string_view text, uint32_t most, uint32_t* value) {
  uint64_t sum = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    sum = sum * 10 + static_cast<uint64_t>(c - '0');
    if (sum > most) return false;
  }
  *value = static_cast<uint32_t>(sum);
  return !text.empty();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view decimal(uint64_t value, char (&out)[kNumberChars]) {
  char* const end = out + kNumberChars;
  const char* const begin = write_back(end, value, 1);
  return {begin, static_cast<size_t>(end - begin)};
}

std::string_view three_decimals(float value, char (&out)[kNumberChars]) {
  if (value != value) return "nan";
  double size = value < 0 ? -double{value} : double{value};
  if (size > kLargest) size = kLargest;
  // Exact: a float has 24 bits, 1000 needs 7 more, a double holds 53.
  const double thousandths = size * 1000;
  uint64_t whole = static_cast<uint64_t>(thousandths);
  const double rest = thousandths - static_cast<double>(whole);
  if (rest > 0.5 || (rest == 0.5 && whole % 2 == 1)) ++whole;
  char* const end = out + kNumberChars;
  char* begin = write_back(end, whole % 1000, 3);
  *--begin = '.';
  begin = write_back(begin, whole / 1000, 1);
  if (value < 0) *--begin = '-';
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace mlperf
