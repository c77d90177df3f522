#include "app/tinyrobust/network.h"

#include <algorithm>
#include <cstring>

#include "engine/builtin/builtin_plan.h"
#include "port/port.h"

namespace network {
namespace {

constexpr size_t kMinReceive = 8192;  // a LOAD frame and room to spare
constexpr uint32_t kMaxWindow = 32;
static_assert(kMinReceive >= frame::kMinBytes + sizeof(wire::Load) + wire::kLoadChunk);

constexpr size_t align16(size_t n) { return (n + 15) & ~size_t{15}; }

struct Upload {
  uint32_t total;  // 0: none under way
  uint32_t next;   // bytes received
};

frame::Decoder* g_decoder;
uint8_t* g_pool;
size_t g_pool_bytes;
Upload g_upload;
Loaded g_loaded;

engine::Status refused(wire::Error code, uint32_t detail, const char* text) {
  return {code, detail, text};
}

// Bytes of the receive buffer that a model's longest request takes.
size_t receive_bytes(const engine::Model& model) {
  const size_t longest =
      frame::kMinBytes + std::max(sizeof(wire::Infer), sizeof(wire::Layer)) + model.input_bytes;
  return std::max(kMinReceive, align16(longest));
}

void place_receive_buffer(size_t bytes) { g_decoder->use(g_pool + g_pool_bytes - bytes, bytes); }

void forget() {
  engine::unload();
  g_loaded = {};
  place_receive_buffer(kMinReceive);
}

// Loads a plan that stands at `plan`, the first `in_pool` bytes of the pool being its own.
engine::Status load(const uint8_t* plan, uint32_t bytes, size_t in_pool) {
  const size_t below = align16(in_pool);
  const size_t room = g_pool_bytes - below - kMinReceive;
  engine::Model& model = g_loaded.model;
  engine::Status status = engine::load(plan, bytes, g_pool + below, room, &model);
  size_t receive = kMinReceive;
  if (status.ok()) {
    receive = receive_bytes(model);
    const size_t needed = below + model.arena_bytes + model.scratch_bytes + receive;
    if (needed > g_pool_bytes) {
      engine::unload();
      status =
          refused(wire::Error::kPlanTooLarge, static_cast<uint32_t>(needed), "bytes of RAM needed");
    }
  } else if (status.error == wire::Error::kPlanTooLarge) {
    status.detail += static_cast<uint32_t>(below + kMinReceive);
  }
  if (!status.ok()) {
    forget();
    return status;
  }
  g_loaded.ready = true;
  g_loaded.plan_bytes = bytes;
  g_loaded.plan_in_ram = in_pool > 0;
  place_receive_buffer(receive);
  return status;
}

}  // namespace

void start(frame::Decoder* decoder) {
  g_decoder = decoder;
  g_pool = port::pool(&g_pool_bytes);
  g_pool_bytes &= ~size_t{15};
  reset();
}

const Loaded& loaded() { return g_loaded; }

void reset() {
  forget();
  g_upload = {};
  if (g_builtin_plan_size > 0) load(g_builtin_plan, g_builtin_plan_size, 0);
}

engine::Status upload(const wire::Load& part, const uint8_t* chunk, uint32_t n,
                      wire::Loaded* answer) {
  const uint32_t total = part.total;
  const uint32_t offset = part.offset;
  const size_t room = g_pool_bytes - kMinReceive;
  if (n == 0) return refused(wire::Error::kBadLength, 1, "LOAD without bytes");
  if (total > room) {
    const uint64_t needed = uint64_t{total} + kMinReceive;
    const uint32_t detail = static_cast<uint32_t>(std::min<uint64_t>(needed, UINT32_MAX));
    return refused(wire::Error::kPlanTooLarge, detail, "bytes of RAM needed");
  }
  if (offset > total || n > total - offset) {
    return refused(wire::Error::kBadLength, total, "LOAD chunk past the plan's end");
  }
  if (offset == 0) {
    // The receive buffer may shrink away from under the chunk: its bytes stay, for nothing is
    // received before the answer, and memmove copes where a small pool makes them overlap the plan.
    forget();
    g_upload = {total, 0};
  }
  // The last chunk again means that our answer was lost; any other out of order is the host's to
  // sort out.
  const bool again = offset + n == g_upload.next;
  if (g_upload.total != total || (offset != g_upload.next && !again)) {
    return refused(wire::Error::kWrongOffset, g_upload.next, "LOAD chunk out of order");
  }
  if (!again) {
    memmove(g_pool + offset, chunk, n);
    g_upload.next += n;
  }
  engine::Status status = engine::kOk;
  if (g_upload.next == total && !g_loaded.ready) status = load(g_pool, total, total);
  *answer = {g_upload.next, g_loaded.ready};
  return status;
}

size_t pool_bytes() { return g_pool_bytes; }

size_t pool_free() {
  const size_t plan = g_loaded.plan_in_ram ? align16(g_loaded.plan_bytes) : 0;
  return g_pool_bytes - g_decoder->capacity() - plan - g_loaded.model.arena_bytes -
         g_loaded.model.scratch_bytes;
}

uint32_t window() {
  if (!g_loaded.ready) return 1;
  const uint64_t decoded =
      frame::kMinBytes + sizeof(wire::Infer) + uint64_t{g_loaded.model.input_bytes};
  const uint64_t buffered = port::identity().rx_ring / frame::encoded_bytes(decoded);
  return static_cast<uint32_t>(std::min<uint64_t>(1 + buffered, kMaxWindow));
}

}  // namespace network
