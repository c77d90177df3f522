#include "dispatch.h"

#include <algorithm>
#include <cstring>

#include "builtin_plan.h"
#include "engine.h"
#include "port.h"
#include "profile.h"

namespace dispatch {
namespace {

constexpr char kFirmware[] = "tinyrobust 0.1.0";
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
engine::Model g_model;
bool g_ready;
uint32_t g_plan_bytes;
bool g_plan_in_ram;
Profile g_profile;

struct Request {
  uint16_t seq;
  const uint8_t* payload;
  uint32_t tail_bytes;

  template <typename Body>
  Body body() const {
    Body out;
    memcpy(&out, payload, sizeof out);
    return out;
  }
  const uint8_t* tail(size_t body_bytes) const { return payload + body_bytes; }
};

template <typename Body>
void answer(wire::Type type, uint16_t seq, const Body& body, const void* tail = nullptr, size_t tail_bytes = 0) {
  frame::Encoder encoder(port::write, type, seq);
  encoder.put(&body, sizeof body);
  encoder.put(tail, tail_bytes);
  encoder.end();
  port::flush();
}

void refuse(uint16_t seq, wire::Error code, uint32_t detail, const char* text) {
  const wire::ErrorReply reply = {static_cast<uint32_t>(code), detail};
  answer(wire::Type::kError, seq, reply, text, std::min<size_t>(strlen(text), wire::kMaxText));
}

void refuse(uint16_t seq, const engine::Status& status) { refuse(seq, status.code, status.detail, status.text); }

// Bytes of the receive buffer that a model's longest request takes.
size_t receive_bytes(const engine::Model& model) {
  const size_t longest = frame::kMinBytes + std::max(sizeof(wire::Infer), sizeof(wire::Layer)) + model.input_bytes;
  return std::max(kMinReceive, align16(longest));
}

void place_receive_buffer(size_t bytes) { g_decoder->use(g_pool + g_pool_bytes - bytes, bytes); }

void forget_plan() {
  engine::unload();
  g_ready = false;
  g_plan_bytes = 0;
  g_plan_in_ram = false;
  g_model = {};
  place_receive_buffer(kMinReceive);
}

// Loads a plan that stands at `plan`, the first `in_pool` bytes of the pool being its own.
engine::Status load(const uint8_t* plan, uint32_t bytes, size_t in_pool) {
  const size_t below = align16(in_pool);
  const size_t room = g_pool_bytes - below - kMinReceive;
  engine::Status status = engine::load(plan, bytes, g_pool + below, room, &g_model);
  size_t receive = kMinReceive;
  if (status.ok) {
    receive = receive_bytes(g_model);
    const size_t needed = below + g_model.arena_bytes + g_model.scratch_bytes + receive;
    if (needed > g_pool_bytes) {
      engine::unload();
      status = {wire::Error::kPlanTooLarge, static_cast<uint32_t>(needed), "bytes of RAM needed", false};
    }
  } else if (status.code == wire::Error::kPlanTooLarge) {
    status.detail += static_cast<uint32_t>(below + kMinReceive);
  }
  if (!status.ok) {
    forget_plan();
    return status;
  }
  g_ready = true;
  g_plan_bytes = bytes;
  g_plan_in_ram = in_pool > 0;
  place_receive_buffer(receive);
  return status;
}

void load_builtin() {
  forget_plan();
  g_upload = {};
  if (g_builtin_plan_size > 0) load(g_builtin_plan, g_builtin_plan_size, 0);
}

uint32_t window() {
  if (!g_ready) return 1;
  const uint64_t decoded = frame::kMinBytes + sizeof(wire::Infer) + uint64_t{g_model.input_bytes};
  const uint64_t buffered = port::identity().rx_ring / frame::encoded_bytes(decoded);
  return static_cast<uint32_t>(std::min<uint64_t>(1 + buffered, kMaxWindow));
}

// `baud`: the rate of the line from the end of this answer on.
void send_info(uint16_t seq, uint32_t baud) {
  const port::Identity& board = port::identity();
  const port::Stack stack = port::stack();
  wire::Info info = {};
  info.protocol = wire::kProtocol;
  info.plan_crc = g_model.crc;
  info.plan_ready = g_ready;
  info.cpuid = board.cpuid;
  info.clock_hz = board.clock_hz;
  info.tick_unit = static_cast<uint32_t>(board.tick_unit);
  info.pool_bytes = static_cast<uint32_t>(g_pool_bytes);
  info.plan_bytes = g_plan_bytes;
  info.plan_in_ram = g_plan_in_ram;
  info.arena_bytes = g_model.arena_bytes;
  info.scratch_bytes = g_model.scratch_bytes;
  const size_t used = (g_plan_in_ram ? align16(g_plan_bytes) : 0) + g_model.arena_bytes + g_model.scratch_bytes;
  info.pool_free = static_cast<uint32_t>(g_pool_bytes - g_decoder->capacity() - used);
  info.max_frame = static_cast<uint32_t>(g_decoder->capacity());
  info.rx_ring = board.rx_ring;
  info.window = window();
  info.n_ops = g_model.n_ops;
  info.baud = baud;
  info.max_baud = board.max_baud;
  info.stack_bytes = stack.bytes;
  info.stack_used = stack.used;
  info.input = g_model.input;
  info.output = g_model.output;
  memcpy(info.uid, board.uid, sizeof info.uid);
  port::build_id(info.build_id);
  memcpy(info.plan_id, g_model.plan_id, sizeof info.plan_id);
  strncpy(info.firmware, kFirmware, sizeof info.firmware - 1);
  strncpy(info.engine, engine::name(), sizeof info.engine - 1);
  strncpy(info.board, board.board, sizeof info.board - 1);
  answer(wire::Type::kInfo, seq, info);
}

void on_hello(const Request& request) {
  const uint32_t baud = port::accepted_baud(request.body<wire::Hello>().baud);
  send_info(request.seq, baud);
  port::use_baud(baud);
}

void on_load(const Request& request) {
  const wire::Load load_request = request.body<wire::Load>();
  const uint32_t total = load_request.total;
  const uint32_t offset = load_request.offset;
  const uint32_t n = request.tail_bytes;
  const size_t room = g_pool_bytes - kMinReceive;
  if (n == 0) return refuse(request.seq, wire::Error::kBadLength, 1, "LOAD without bytes");
  if (total > room) {
    const uint64_t needed = uint64_t{total} + kMinReceive;
    const uint32_t detail = static_cast<uint32_t>(std::min<uint64_t>(needed, UINT32_MAX));
    return refuse(request.seq, wire::Error::kPlanTooLarge, detail, "bytes of RAM needed");
  }
  if (offset > total || n > total - offset) {
    return refuse(request.seq, wire::Error::kBadLength, total, "LOAD chunk past the plan's end");
  }
  const uint8_t* chunk = request.tail(sizeof load_request);
  if (offset == 0) {
    // The receive buffer may shrink away from under the chunk: its bytes stay, for nothing is received before the
    // answer, and memmove copes where a small pool makes them overlap the plan.
    forget_plan();
    g_upload = {total, 0};
  }
  // The last chunk again means that our answer was lost; any other out of order is the host's to sort out.
  const bool again = offset + n == g_upload.next;
  if (g_upload.total != total || (offset != g_upload.next && !again)) {
    return refuse(request.seq, wire::Error::kWrongOffset, g_upload.next, "LOAD chunk out of order");
  }
  if (!again) {
    memmove(g_pool + offset, chunk, n);
    g_upload.next += n;
  }
  if (g_upload.next == total && !g_ready) {
    const engine::Status status = load(g_pool, total, total);
    if (!status.ok) return refuse(request.seq, status);
  }
  const wire::Loaded loaded = {g_upload.next, g_ready};
  answer(wire::Type::kLoaded, request.seq, loaded);
}

// What INFER, LAYER and PROFILE ask for alike: a plan, the one that was meant, and one whole sample.
bool sample_fits(const Request& request, uint32_t plan_crc) {
  if (!g_ready || plan_crc != g_model.crc) {
    refuse(request.seq, wire::Error::kNoPlan, g_model.crc, g_ready ? "another plan is loaded" : "no plan is loaded");
    return false;
  }
  if (request.tail_bytes != g_model.input_bytes) {
    refuse(request.seq, wire::Error::kBadLength, g_model.input_bytes, "bytes of one sample");
    return false;
  }
  return true;
}

void on_infer(const Request& request) {
  const wire::Infer infer = request.body<wire::Infer>();
  if (!sample_fits(request, infer.plan_crc)) return;
  const uint8_t* sample = request.tail(sizeof infer);
  const uint8_t* output = nullptr;
  const uint64_t before = port::ticks();
  const engine::Status status = engine::run(sample, &output);
  const uint64_t ticks = port::ticks() - before;
  if (!status.ok) return refuse(request.seq, status);
  const wire::Result result = {ticks, frame::crc32(0, sample, request.tail_bytes), g_model.crc};
  answer(wire::Type::kResult, request.seq, result, output, g_model.output_bytes);
}

void on_layer(const Request& request) {
  const wire::Layer layer = request.body<wire::Layer>();
  if (!sample_fits(request, layer.plan_crc)) return;
  if (layer.op >= g_model.n_ops) {
    return refuse(request.seq, wire::Error::kBadLength, g_model.n_ops, "operator records in the plan");
  }
  const uint8_t* sample = request.tail(sizeof layer);
  const uint8_t* output = nullptr;
  uint32_t output_bytes = 0;
  const engine::Status status = engine::run_to(sample, layer.op, &output, &output_bytes);
  if (!status.ok) return refuse(request.seq, status);
  if (output_bytes > wire::kMaxTensor) {
    return refuse(request.seq, wire::Error::kBadLength, output_bytes, "output too long for a frame");
  }
  const wire::LayerData data = {frame::crc32(0, sample, request.tail_bytes), layer.op};
  answer(wire::Type::kLayerData, request.seq, data, output, output_bytes);
}

void on_profile(const Request& request) {
  const wire::Profile profile = request.body<wire::Profile>();
  if (!sample_fits(request, profile.plan_crc)) return;
  if (g_model.n_ops > wire::kMaxProfiled) {
    return refuse(request.seq, wire::Error::kBadLength, wire::kMaxProfiled, "operators can be timed at most");
  }
  const uint8_t* sample = request.tail(sizeof profile);
  const uint8_t* output = nullptr;
  g_profile.clear();
  const uint64_t before = port::ticks();
  const engine::Status status = engine::run(sample, &output, &g_profile);
  const uint64_t ticks = port::ticks() - before;
  if (!status.ok) return refuse(request.seq, status);
  const wire::Profiled profiled = {ticks, frame::crc32(0, sample, request.tail_bytes), g_profile.n_ops()};
  frame::Encoder encoder(port::write, wire::Type::kProfiled, request.seq);
  encoder.put(&profiled, sizeof profiled);
  for (uint32_t i = 0; i < g_profile.n_ops(); ++i) {
    const wire::OperatorTicks op = g_profile.op(i);
    encoder.put(&op, sizeof op);
  }
  encoder.end();
  port::flush();
}

bool lengths_fit(wire::Type type, uint16_t seq, size_t payload_bytes) {
  const uint32_t body = wire::body_bytes(type);
  const uint32_t tail = wire::max_tail(type);
  if (payload_bytes >= body && payload_bytes - body <= tail) return true;
  refuse(seq, wire::Error::kBadLength, payload_bytes < body ? body : body + tail, "bytes of body and tail expected");
  return false;
}

void on_request(const frame::Decoder& decoder) {
  const wire::FrameHeader header = decoder.header();
  const wire::Type type = static_cast<wire::Type>(header.type);
  void (*handler)(const Request&) = nullptr;
  switch (type) {
    case wire::Type::kHello:
      handler = on_hello;
      break;
    case wire::Type::kReset:
      handler = [](const Request& request) {
        load_builtin();
        send_info(request.seq, port::baud());
      };
      break;
    case wire::Type::kLoad:
      handler = on_load;
      break;
    case wire::Type::kInfer:
      handler = on_infer;
      break;
    case wire::Type::kLayer:
      handler = on_layer;
      break;
    case wire::Type::kProfile:
      handler = on_profile;
      break;
    default:
      return refuse(header.seq, wire::Error::kUnknownType, header.type, "no such request");
  }
  if (!lengths_fit(type, header.seq, decoder.payload_bytes())) return;
  const uint32_t tail_bytes = static_cast<uint32_t>(decoder.payload_bytes()) - wire::body_bytes(type);
  handler({header.seq, decoder.payload(), tail_bytes});
}

}  // namespace

void start(frame::Decoder* decoder) {
  g_decoder = decoder;
  g_pool = port::pool(&g_pool_bytes);
  g_pool_bytes &= ~size_t{15};
  load_builtin();
}

void handle(frame::Event event) {
  if (event != frame::Event::kNone) port::heard(event == frame::Event::kFrame);
  port::alive();
  switch (event) {
    case frame::Event::kNone:
      return;
    case frame::Event::kFrame:
      return on_request(*g_decoder);
    case frame::Event::kBad:
      return refuse(0, wire::Error::kBadFrame, 0, "frame cut short or CRC wrong");
    case frame::Event::kOversized:
      return refuse(0, wire::Error::kBadFrame, static_cast<uint32_t>(g_decoder->capacity()), "frame too long");
  }
}

}  // namespace dispatch
