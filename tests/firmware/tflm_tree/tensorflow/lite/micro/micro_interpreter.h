// One network: 64 bytes in, of which the first ten come out, each plus one. It takes both ends of
// its arena, as the real planner does, and fails on an input that begins with 99.
#pragma once

#include <cstring>

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"
#include "tensorflow/lite/schema/schema_generated.h"

struct TfLiteTensor {
  union {
    char* raw;
  } data;
  size_t bytes;
};

namespace tflite {

class MicroInterpreter {
 public:
  template <typename Resolver>
  MicroInterpreter(const Model*, const Resolver& resolver, uint8_t* arena, size_t bytes,
                   void* variables, MicroProfilerInterface* profiler)
      : ready_(resolver.registered > 0 && variables == nullptr),
        arena_(reinterpret_cast<char*>(arena)),
        bytes_(bytes),
        profiler_(profiler) {}

  TfLiteStatus AllocateTensors() {
    if (!ready_ || bytes_ < arena_used_bytes()) return kTfLiteError;
    memset(arena_, 0xAA, 64);
    memset(arena_ + bytes_ - 16, 0xBB, 16);
    input_ = {{arena_}, 64};
    output_ = {{arena_ + bytes_ - 16}, 10};
    return kTfLiteOk;
  }
  size_t arena_used_bytes() const { return 80; }
  TfLiteTensor* input(size_t) { return &input_; }
  TfLiteTensor* output(size_t) { return &output_; }
  TfLiteStatus Invoke() {
    for (const char* op : {"CONV_2D", "RESHAPE"}) {
      const uint32_t event = profiler_->BeginEvent(op);
      // Some kernels report what they do within an operator.
      profiler_->EndEvent(profiler_->BeginEvent("within"));
      profiler_->EndEvent(event);
    }
    if (arena_[0] == 99) return kTfLiteError;
    for (int i = 0; i < 10; ++i) output_.data.raw[i] = static_cast<char>(arena_[i] + 1);
    return kTfLiteOk;
  }

 private:
  bool ready_;
  char* arena_;
  size_t bytes_;
  MicroProfilerInterface* profiler_;
  TfLiteTensor input_{};
  TfLiteTensor output_{};
};

}  // namespace tflite
