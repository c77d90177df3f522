// Loads a plan with every byte changed in turn, under a right checksum, and runs what is accepted. Plan, arena and
// input are heap blocks of exactly the size asked for, so that the sanitizers see any access beyond them.
// Usage: fuzz_plan <plan file> <values per byte>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <vector>

#include "engine.h"
#include "frame.h"
#include "plan.gen.h"

namespace {

struct Free {
  void operator()(uint8_t* block) const { free(block); }
};
using Block = std::unique_ptr<uint8_t, Free>;

// Exactly n bytes, 16-byte aligned (aligned_alloc wants multiples, posix_memalign does not).
Block block(size_t n) {
  void* out = nullptr;
  if (posix_memalign(&out, 16, n) != 0) abort();
  return Block(static_cast<uint8_t*>(out));
}

void seal(uint8_t* plan, size_t n) {
  constexpr size_t kCrc = offsetof(plan::PlanHeader, crc);
  const uint32_t crc = frame::crc32(0, plan + kCrc + 4, n - kCrc - 4);
  memcpy(plan + kCrc, &crc, sizeof crc);
}

// Whether the plan was accepted, and then ran.
bool load_and_run(const uint8_t* plan, size_t n) {
  engine::Model model;
  engine::Status status = engine::load(plan, n, nullptr, 0, &model);
  if (status.ok) abort();  // no plan needs no RAM
  if (status.code != wire::Error::kPlanTooLarge) return false;
  const size_t needed = status.detail;
  if (needed > (64u << 20)) return false;  // more than any board has
  const Block arena = block(needed);
  status = engine::load(plan, n, arena.get(), needed, &model);
  if (!status.ok || model.arena_bytes + model.scratch_bytes != needed) abort();
  const Block input = block(model.input_bytes);
  for (size_t i = 0; i < model.input_bytes; ++i) input.get()[i] = static_cast<uint8_t>(i * 37);
  const uint8_t* output = nullptr;
  status = engine::run(input.get(), &output);
  volatile uint8_t last = 0;
  if (status.ok) last = output[model.output_bytes - 1];
  static_cast<void>(last);
  engine::unload();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<char> original((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const int values = atoi(argv[2]);
  const Block copy = block(original.size());
  memcpy(copy.get(), original.data(), original.size());
  if (!load_and_run(copy.get(), original.size())) return 1;
  std::minstd_rand draw(1);
  long accepted = 0, refused = 0;
  for (size_t at = sizeof(plan::kMagic); at < original.size(); ++at) {
    const uint8_t right = copy.get()[at];
    for (int i = 0; i < values; ++i) {
      const uint8_t other = static_cast<uint8_t>(i == 0 ? 0u : i == 1 ? 0xffu : right ^ (1u << (draw() % 8)));
      if (other == right) continue;
      copy.get()[at] = other;
      seal(copy.get(), original.size());
      (load_and_run(copy.get(), original.size()) ? accepted : refused)++;
    }
    copy.get()[at] = right;
  }
  printf("%ld accepted, %ld refused\n", accepted, refused);
  return 0;
}
