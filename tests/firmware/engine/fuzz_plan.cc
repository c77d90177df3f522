// Loads a plan with every byte changed in turn and with its tensors moved at random, each under a
// right checksum, and runs what is accepted, twice over different garbage: the same input must get
// the same answer. Plan, arena and input are heap blocks of exactly the size asked for, so that the
// sanitizers see any access beyond them. Usage: fuzz_plan <plan file> <values per byte> <rewired
// plans>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <vector>

#include "common/crc32.h"
#include "engine/engine.h"
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
  const uint32_t crc = common::crc32(0, plan + kCrc + 4, n - kCrc - 4);
  memcpy(plan + kCrc, &crc, sizeof crc);
}

struct Tally {
  long accepted, refused, differing;
};

using Draw = std::minstd_rand;

// What the loaded model answers where its RAM held `garbage` before: each record's output up to
// `op`, and the model's. Empty where a kernel failed.
std::vector<uint8_t> answer(const engine::Model& model, uint8_t* arena, uint32_t op,
                            uint8_t garbage) {
  const size_t ram = model.arena_bytes + model.scratch_bytes;
  for (size_t i = 0; i < ram; ++i) arena[i] = static_cast<uint8_t>(garbage + i * garbage);
  const Block input = block(model.input_bytes);
  for (size_t i = 0; i < model.input_bytes; ++i) input.get()[i] = static_cast<uint8_t>(i * 37);
  const uint8_t* output = nullptr;
  uint32_t bytes = 0;
  if (!engine::run_to(input.get(), op, &output, &bytes).ok()) return {};
  std::vector<uint8_t> out(output, output + bytes);
  if (!engine::run(input.get(), &output).ok()) return {};
  out.insert(out.end(), output, output + model.output_bytes);
  return out;
}

// Whether the plan was accepted; then it ran, and its two answers were compared.
bool load_and_run(const uint8_t* plan, size_t n, Draw* draw, Tally* tally) {
  engine::Model model;
  engine::Status status = engine::load(plan, n, nullptr, 0, &model);
  if (status.ok()) abort();  // no plan needs no RAM
  const size_t needed = status.detail;
  if (status.error != wire::Error::kPlanTooLarge ||
      needed > (64u << 20)) {  // more than any board has
    ++tally->refused;
    return false;
  }
  const Block arena = block(needed);
  status = engine::load(plan, n, arena.get(), needed, &model);
  if (!status.ok() || model.arena_bytes + model.scratch_bytes != needed) abort();
  const uint32_t op = static_cast<uint32_t>((*draw)() % model.n_ops);
  ++tally->accepted;
  tally->differing += answer(model, arena.get(), op, 0x5b) != answer(model, arena.get(), op, 0xa6);
  engine::unload();
  return true;
}

void change_every_byte(uint8_t* plan, size_t n, int values, Draw* draw, Tally* tally) {
  for (size_t at = sizeof(plan::kMagic); at < n; ++at) {
    const uint8_t right = plan[at];
    for (int i = 0; i < values; ++i) {
      const uint8_t other = static_cast<uint8_t>(i == 0   ? 0u
                                                 : i == 1 ? 0xffu
                                                          : right ^ (1u << ((*draw)() % 8)));
      if (other == right) continue;
      plan[at] = other;
      seal(plan, n);
      load_and_run(plan, n, draw, tally);
    }
    plan[at] = right;
  }
}

// Where a plan says where its tensors are: byte offsets of arena offsets.
std::vector<size_t> tensor_fields(const uint8_t* plan) {
  plan::PlanHeader header;
  memcpy(&header, plan, sizeof header);
  std::vector<size_t> out = {offsetof(plan::PlanHeader, input_offset),
                             offsetof(plan::PlanHeader, output_offset)};
  size_t at = sizeof header;
  for (uint32_t i = 0; i < header.n_ops; ++i) {
    plan::Head head;
    memcpy(&head, plan + at, sizeof head);
    out.push_back(at + offsetof(plan::Head, output));
    out.push_back(at + sizeof head);  // every record's first input
    const bool adds = head.kind == static_cast<uint16_t>(plan::Kind::kAddS8) ||
                      head.kind == static_cast<uint16_t>(plan::Kind::kAddS16);
    if (adds) out.push_back(at + offsetof(plan::Add, input2));
    at += head.bytes;
  }
  return out;
}

// Moves one to four tensors, to where another one is or anywhere in an arena of up to twice the
// size.
void rewire(const uint8_t* original, uint8_t* plan, size_t n, long plans, Draw* draw,
            Tally* tally) {
  const std::vector<size_t> fields = tensor_fields(original);
  for (long i = 0; i < plans; ++i) {
    memcpy(plan, original, n);
    uint32_t arena;
    memcpy(&arena, original + offsetof(plan::PlanHeader, arena_bytes), sizeof arena);
    arena *= static_cast<uint32_t>(1 + (*draw)() % 2);
    memcpy(plan + offsetof(plan::PlanHeader, arena_bytes), &arena, sizeof arena);
    for (size_t moves = 1 + (*draw)() % 4; moves > 0; --moves) {
      uint32_t place =
          static_cast<uint32_t>((*draw)() % (arena / plan::kArenaAlign)) * plan::kArenaAlign;
      if ((*draw)() % 2) memcpy(&place, original + fields[(*draw)() % fields.size()], sizeof place);
      memcpy(plan + fields[(*draw)() % fields.size()], &place, sizeof place);
    }
    seal(plan, n);
    load_and_run(plan, n, draw, tally);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<char> original((std::istreambuf_iterator<char>(file)),
                                   std::istreambuf_iterator<char>());
  const size_t n = original.size();
  const Block copy = block(n);
  memcpy(copy.get(), original.data(), n);
  Draw draw(1);
  Tally right = {}, tally = {};
  if (!load_and_run(copy.get(), n, &draw, &right) || right.differing) return 1;
  change_every_byte(copy.get(), n, atoi(argv[2]), &draw, &tally);
  rewire(reinterpret_cast<const uint8_t*>(original.data()), copy.get(), n, atol(argv[3]), &draw,
         &tally);
  printf("%ld accepted, %ld refused, %ld differing\n", tally.accepted, tally.refused,
         tally.differing);
  return 0;
}
