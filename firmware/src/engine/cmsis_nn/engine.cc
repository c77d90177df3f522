// Runs a plan on Arm's CMSIS-NN kernels: checks everything once, then a short loop over the
// records.
#include "engine/engine.h"

#include <algorithm>
#include <cstring>

#include "engine/cmsis_nn/operators.h"
#include "engine/cmsis_nn/plan_check/plan_check.h"
#include "plan.gen.h"

namespace engine {
namespace {

struct Loaded {
  operators::Memory memory;
  plan::PlanHeader header;
};

Loaded g_loaded;

const plan::Head* first_record(const uint8_t* plan) {
  return reinterpret_cast<const plan::Head*>(plan + sizeof(plan::PlanHeader));
}

const plan::Head* next_record(const plan::Head* head) {
  return reinterpret_cast<const plan::Head*>(reinterpret_cast<const uint8_t*>(head) + head->bytes);
}

// "CONV_2D: output outside the arena", kept until the next refusal.
Status refuse(wire::Error code, uint32_t record, const char* name, const char* reason) {
  static char text[wire::kMaxText];
  constexpr size_t kRoom = sizeof text - 1;
  const size_t n = std::min(strlen(name), kRoom);
  memcpy(text, name, n);
  size_t used = n;
  for (const char* part : {": ", reason}) {
    const size_t more = std::min(strlen(part), kRoom - used);
    memcpy(text + used, part, more);
    used += more;
  }
  text[used] = '\0';
  return {code, record, text};
}

constexpr uint64_t align(uint64_t n) {
  return (n + plan::kArenaAlign - 1) / plan::kArenaAlign * plan::kArenaAlign;
}

Status run_through(const uint8_t* input, uint32_t op, const uint8_t** output,
                   uint32_t* output_bytes, Observer* observer) {
  const operators::Memory& memory = g_loaded.memory;
  if (!memory.plan) return {wire::Error::kNoPlan, 0, "no plan is loaded"};
  const plan::PlanHeader& header = g_loaded.header;
  memcpy(memory.arena + header.input_offset, input,
         static_cast<size_t>(plan::edge_bytes(header.input)));
  const plan::Head* head = first_record(memory.plan);
  for (uint32_t i = 0;; ++i, head = next_record(head)) {
    const operators::Operator* const found = operators::find(head->kind);
    if (observer) observer->begin(plan::name(found->kind));
    const bool done = found->run(head, memory);
    if (observer) observer->end();
    if (!done)
      return refuse(wire::Error::kEngineFailed, i, plan::name(found->kind), "kernel failed");
    if (i == op) break;
  }
  *output = memory.arena + head->output;
  *output_bytes = head->output_bytes;
  return kOk;
}

}  // namespace

const char* name() { return "CMSIS-NN 12.5.1"; }

Status load(const uint8_t* plan, size_t plan_bytes, uint8_t* arena, size_t arena_bytes,
            Model* model) {
  unload();
  if (plan::Reason reason = plan::check_header(plan, plan_bytes)) {
    return refuse(wire::Error::kPlanRejected, 0, "header", reason);
  }
  plan::PlanHeader header;
  memcpy(&header, plan, sizeof header);
  int32_t scratch_bytes = 0;
  const plan::Head* head = first_record(plan);
  for (uint32_t i = 0; i < header.n_ops; ++i, head = next_record(head)) {
    const operators::Operator* op = operators::find(head->kind);
    plan::Reason reason = plan::check_record(plan, head);
    if (!reason && !op) reason = "not in this engine";
    const int32_t scratch = reason ? 0 : op->scratch_bytes(head);
    if (!reason && scratch < 0) reason = "scratch size";
    if (reason) {
      return refuse(wire::Error::kPlanRejected, i, plan::name(static_cast<plan::Kind>(head->kind)),
                    reason);
    }
    scratch_bytes = std::max(scratch_bytes, scratch);
  }
  if (plan::Reason reason = plan::check_output(plan))
    return refuse(wire::Error::kPlanRejected, 0, "header", reason);
  const uint64_t tensors = align(header.arena_bytes);
  const uint64_t needed = tensors + align(static_cast<uint32_t>(scratch_bytes));
  if (needed > arena_bytes) {
    return {wire::Error::kPlanTooLarge,
            static_cast<uint32_t>(std::min<uint64_t>(needed, UINT32_MAX)), "bytes of RAM needed"};
  }
  // No operator reads what was not written. Gaps and scratch start the same on every board all the
  // same.
  memset(arena, 0, static_cast<size_t>(needed));
  g_loaded = {{plan, arena, arena + tensors, scratch_bytes}, header};
  *model = {};
  model->input = header.input;
  model->output = header.output;
  model->input_bytes = static_cast<uint32_t>(plan::edge_bytes(header.input));
  model->output_bytes = static_cast<uint32_t>(plan::edge_bytes(header.output));
  model->arena_bytes = static_cast<uint32_t>(tensors);
  model->scratch_bytes = static_cast<uint32_t>(needed - tensors);
  model->n_ops = header.n_ops;
  model->crc = header.crc;
  memcpy(model->plan_id, header.plan_id, sizeof model->plan_id);
  return kOk;
}

Status run_to(const uint8_t* input, uint32_t op, const uint8_t** output, uint32_t* output_bytes) {
  return run_through(input, op, output, output_bytes, nullptr);
}

Status run(const uint8_t* input, const uint8_t** output, Observer* observer) {
  uint32_t bytes;
  const uint32_t n_ops = g_loaded.memory.plan ? g_loaded.header.n_ops : 1;
  const Status status = run_through(input, n_ops - 1, output, &bytes, observer);
  if (status.ok()) *output = g_loaded.memory.arena + g_loaded.header.output_offset;
  return status;
}

void unload() { g_loaded = {}; }

}  // namespace engine
