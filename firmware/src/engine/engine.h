// The one interface between the protocol and whatever runs the network.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire.gen.h"

namespace engine {

// Name and version, for INFO.
const char* name();

// What came of a call: kOk, or an error as the protocol reports it.
struct Status {
  wire::Error error;  // kNoError where the call did what it was asked for
  uint32_t detail;    // record index, or bytes needed for PLAN_TOO_LARGE
  const char* text;   // static string, names the operator or the bound

  constexpr bool ok() const;
};

constexpr wire::Error kNoError{};  // 0, which no error on the wire has
constexpr bool Status::ok() const { return error == kNoError; }
constexpr Status kOk = {kNoError, 0, ""};

struct Model {
  wire::Tensor input;
  wire::Tensor output;
  uint32_t input_bytes;
  uint32_t output_bytes;
  uint32_t arena_bytes;    // tensors
  uint32_t scratch_bytes;  // kernels' scratch, asked of the kernels on this very core
  uint32_t n_ops;
  uint32_t crc;
  uint8_t plan_id[32];
};

// Checks every offset and size of `plan` and, where it fits into `arena`, makes it the current
// model and describes it in `model`. Nothing of an earlier model survives a refusal.
// `plan`: `plan_bytes` of it, 16-byte aligned; kept by reference until unload() or the next load().
// `arena`: `arena_bytes`, 16-byte aligned, for tensors and scratch; nobody else writes there until
// then. PLAN_TOO_LARGE says how many bytes it takes.
Status load(const uint8_t* plan, size_t plan_bytes, uint8_t* arena, size_t arena_bytes,
            Model* model);

// Told when an operator begins, by its static name, and when it has ended.
class Observer {
 public:
  virtual void begin(const char* op) = 0;
  virtual void end() = 0;

 protected:
  ~Observer() = default;
};

// Runs the current model on one sample. `input` holds Model::input_bytes, of any alignment, outside
// the arena; `output` points to Model::output_bytes in the arena, until the next call.
Status run(const uint8_t* input, const uint8_t** output, Observer* observer = nullptr);

// As run(), but stops after record `op`, less than Model::n_ops, and points at that operator's
// output of `output_bytes`.
Status run_to(const uint8_t* input, uint32_t op, const uint8_t** output, uint32_t* output_bytes);

void unload();

}  // namespace engine
