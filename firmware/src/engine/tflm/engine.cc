// TensorFlow Lite Micro as the engine. The network is linked in as the generated model_data and
// op_resolver; of its plan only the header stands beside it, which says by name and shape what this
// board runs.
#include "engine/engine.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/builtin/builtin_plan.h"
#include "model_data.h"
#include "op_resolver.h"
#include "plan.gen.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace engine {
namespace {

// The allocator aligns within what it is given.
constexpr size_t kSlack = 64;
// What planning takes for a while, generously: records of tensors and of the planner, the tensors
// of the operator that is prepared.
constexpr size_t kPlanning = 1024;
constexpr size_t kPlanningOperator = 512;

ModelOpResolver g_resolver;
bool g_registered;
alignas(tflite::MicroInterpreter) uint8_t g_place[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter* g_interpreter;

// TensorFlow Lite Micro's events are its operators.
class Profiler : public tflite::MicroProfilerInterface {
 public:
  uint32_t BeginEvent(const char* tag) override {
    if (observer != nullptr) observer->begin(tag);
    return 0;
  }
  void EndEvent(uint32_t) override {
    if (observer != nullptr) observer->end();
  }

  Observer* observer = nullptr;
};

Profiler g_profiler;

Status refuse(wire::Error code, const char* text, uint32_t detail = 0) {
  return {code, detail, text};
}

// Plans the tensors into `bytes` at `arena`; false where that is not enough.
bool allocate(uint8_t* arena, size_t bytes) {
  unload();
  const tflite::Model* const model = tflite::GetModel(g_model_data);
  g_interpreter =
      new (g_place) tflite::MicroInterpreter(model, g_resolver, arena, bytes, nullptr, &g_profiler);
  return g_interpreter->AllocateTensors() == kTfLiteOk;
}

uint32_t elements(const wire::Tensor& tensor) {
  uint32_t n = 1;
  for (const uint32_t dim : tensor.dims) n *= dim;
  return n;
}

}  // namespace

const char* name() { return TINYROBUST_TFLM; }

Status load(const uint8_t* plan, size_t plan_bytes, uint8_t* arena, size_t arena_bytes,
            Model* model) {
  unload();
  plan::PlanHeader header;
  if (g_builtin_plan_size < sizeof header || plan_bytes < sizeof header) {
    return refuse(wire::Error::kPlanRejected, "header: too short");
  }
  if (memcmp(plan, g_builtin_plan, sizeof header) != 0) {
    return refuse(wire::Error::kPlanRejected,
                  "this engine runs only the network that was linked in");
  }
  memcpy(&header, plan, sizeof header);
  if (header.layout != plan::kLayout) return refuse(wire::Error::kPlanRejected, "header: layout");
  if (!g_registered) {
    if (RegisterModelOps(g_resolver) != kTfLiteOk) {
      return refuse(wire::Error::kPlanRejected, "the library lacks an operator of this network");
    }
    g_registered = true;
  }
  // Once to learn how much it takes, and again in that much: the planner uses both ends of what it
  // is given.
  if (!allocate(arena, arena_bytes)) {
    unload();
    const uint32_t had = static_cast<uint32_t>(arena_bytes);
    return refuse(wire::Error::kPlanTooLarge,
                  "bytes of RAM were not enough, or an operator was refused", had);
  }
  // It states what its tensors take once they are planned. Planning, in the same place, takes more
  // than the tensors of a small network do, and given less it overwrites what it holds.
  const uint32_t n_ops = tflite::GetModel(g_model_data)->subgraphs()->Get(0)->operators()->size();
  const size_t planning = kPlanning + kPlanningOperator * n_ops;
  const size_t more = planning - std::min<size_t>(planning, header.arena_bytes);
  const size_t needed = std::min(g_interpreter->arena_used_bytes() + more + kSlack, arena_bytes);
  if (!allocate(arena, needed)) {
    unload();
    return refuse(wire::Error::kPlanRejected, "the tensors do not fit into what they took before");
  }
  *model = {};
  model->input = header.input;
  model->output = header.output;
  model->input_bytes = static_cast<uint32_t>(g_interpreter->input(0)->bytes);
  model->output_bytes = static_cast<uint32_t>(g_interpreter->output(0)->bytes);
  if (model->input_bytes % elements(header.input) != 0 ||
      model->output_bytes % elements(header.output) != 0) {
    unload();
    return refuse(wire::Error::kPlanRejected, "header: the network has other tensors");
  }
  model->arena_bytes = static_cast<uint32_t>(needed);
  model->n_ops = n_ops;
  model->crc = header.crc;
  memcpy(model->plan_id, header.plan_id, sizeof model->plan_id);
  return kOk;
}

Status run(const uint8_t* input, const uint8_t** output, Observer* observer) {
  if (g_interpreter == nullptr) return refuse(wire::Error::kNoPlan, "no network");
  TfLiteTensor* const tensor = g_interpreter->input(0);
  memcpy(tensor->data.raw, input, tensor->bytes);
  g_profiler.observer = observer;
  const TfLiteStatus status = g_interpreter->Invoke();
  g_profiler.observer = nullptr;
  if (status != kTfLiteOk) return refuse(wire::Error::kEngineFailed, "Invoke failed");
  *output = reinterpret_cast<const uint8_t*>(g_interpreter->output(0)->data.raw);
  return kOk;
}

// Tensors share memory, and the interpreter runs to its end.
Status run_to(const uint8_t*, uint32_t, const uint8_t**, uint32_t*) {
  return refuse(wire::Error::kEngineFailed, "this engine does not show its layers");
}

void unload() {
  if (g_interpreter != nullptr) g_interpreter->~MicroInterpreter();
  g_interpreter = nullptr;
}

}  // namespace engine
