// A stand-in for TensorFlow Lite Micro: what engine/tflm/engine.cc and the generated resolver ask
// of it, and no more.
#pragma once

#include <cstddef>
#include <cstdint>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

namespace tflite {

template <unsigned kOps>
struct MicroMutableOpResolver {
  unsigned registered = 0;
  TfLiteStatus Add() { return ++registered <= kOps ? kTfLiteOk : kTfLiteError; }
  TfLiteStatus AddConv2D() { return Add(); }
  TfLiteStatus AddFullyConnected() { return Add(); }
  TfLiteStatus AddReshape() { return Add(); }
};

}  // namespace tflite
