#include "app/tinyrobust/dispatch.h"

#include <algorithm>
#include <cstring>

#include "app/tinyrobust/network.h"
#include "app/tinyrobust/profile.h"
#include "common/crc32.h"
#include "engine/engine.h"
#include "port/port.h"

namespace dispatch {
namespace {

constexpr char kFirmware[] = "tinyrobust 0.1.0";

frame::Decoder* g_decoder;
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
void answer(wire::Type type, uint16_t seq, const Body& body, const void* tail = nullptr,
            size_t tail_bytes = 0) {
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

void refuse(uint16_t seq, const engine::Status& status) {
  refuse(seq, status.error, status.detail, status.text);
}

// `baud`: the rate of the line from the end of this answer on.
void send_info(uint16_t seq, uint32_t baud) {
  const port::Identity& board = port::identity();
  const port::Stack stack = port::stack();
  const network::Loaded& loaded = network::loaded();
  wire::Info info = {};
  info.protocol = wire::kProtocol;
  info.plan_crc = loaded.model.crc;
  info.plan_ready = loaded.ready;
  info.cpuid = board.cpuid;
  info.clock_hz = board.clock_hz;
  info.tick_unit = static_cast<uint32_t>(board.tick_unit);
  info.pool_bytes = static_cast<uint32_t>(network::pool_bytes());
  info.plan_bytes = loaded.plan_bytes;
  info.plan_in_ram = loaded.plan_in_ram;
  info.arena_bytes = loaded.model.arena_bytes;
  info.scratch_bytes = loaded.model.scratch_bytes;
  info.pool_free = static_cast<uint32_t>(network::pool_free());
  info.max_frame = static_cast<uint32_t>(g_decoder->capacity());
  info.rx_ring = board.rx_ring;
  info.window = network::window();
  info.n_ops = loaded.model.n_ops;
  info.baud = baud;
  info.max_baud = board.max_baud;
  info.stack_bytes = stack.bytes;
  info.stack_used = stack.used;
  info.input = loaded.model.input;
  info.output = loaded.model.output;
  memcpy(info.uid, board.uid, sizeof info.uid);
  port::build_id(info.build_id);
  memcpy(info.plan_id, loaded.model.plan_id, sizeof info.plan_id);
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
  const wire::Load load = request.body<wire::Load>();
  wire::Loaded loaded;
  const engine::Status status =
      network::upload(load, request.tail(sizeof load), request.tail_bytes, &loaded);
  if (!status.ok()) return refuse(request.seq, status);
  answer(wire::Type::kLoaded, request.seq, loaded);
}

// What INFER, LAYER and PROFILE ask for alike: a plan, the one that was meant, and one whole
// sample.
bool sample_fits(const Request& request, uint32_t plan_crc) {
  const bool ready = network::loaded().ready;
  const engine::Model& model = network::loaded().model;
  if (!ready || plan_crc != model.crc) {
    refuse(request.seq, wire::Error::kNoPlan, model.crc,
           ready ? "another plan is loaded" : "no plan is loaded");
    return false;
  }
  if (request.tail_bytes != model.input_bytes) {
    refuse(request.seq, wire::Error::kBadLength, model.input_bytes, "bytes of one sample");
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
  if (!status.ok()) return refuse(request.seq, status);
  const wire::Result result = {ticks, common::crc32(0, sample, request.tail_bytes),
                               network::loaded().model.crc};
  answer(wire::Type::kResult, request.seq, result, output, network::loaded().model.output_bytes);
}

void on_layer(const Request& request) {
  const wire::Layer layer = request.body<wire::Layer>();
  if (!sample_fits(request, layer.plan_crc)) return;
  if (layer.op >= network::loaded().model.n_ops) {
    return refuse(request.seq, wire::Error::kBadLength, network::loaded().model.n_ops,
                  "operator records in the plan");
  }
  const uint8_t* sample = request.tail(sizeof layer);
  const uint8_t* output = nullptr;
  uint32_t output_bytes = 0;
  const engine::Status status = engine::run_to(sample, layer.op, &output, &output_bytes);
  if (!status.ok()) return refuse(request.seq, status);
  if (output_bytes > wire::kMaxTensor) {
    return refuse(request.seq, wire::Error::kBadLength, output_bytes,
                  "output too long for a frame");
  }
  const wire::LayerData data = {common::crc32(0, sample, request.tail_bytes), layer.op};
  answer(wire::Type::kLayerData, request.seq, data, output, output_bytes);
}

void on_profile(const Request& request) {
  const wire::Profile profile = request.body<wire::Profile>();
  if (!sample_fits(request, profile.plan_crc)) return;
  if (network::loaded().model.n_ops > wire::kMaxProfiled) {
    return refuse(request.seq, wire::Error::kBadLength, wire::kMaxProfiled,
                  "operators can be timed at most");
  }
  const uint8_t* sample = request.tail(sizeof profile);
  const uint8_t* output = nullptr;
  g_profile.clear();
  const uint64_t before = port::ticks();
  const engine::Status status = engine::run(sample, &output, &g_profile);
  const uint64_t ticks = port::ticks() - before;
  if (!status.ok()) return refuse(request.seq, status);
  const wire::Profiled profiled = {ticks, common::crc32(0, sample, request.tail_bytes),
                                   g_profile.n_ops()};
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
  refuse(seq, wire::Error::kBadLength, payload_bytes < body ? body : body + tail,
         "bytes of body and tail expected");
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
        network::reset();
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
  const uint32_t tail_bytes =
      static_cast<uint32_t>(decoder.payload_bytes()) - wire::body_bytes(type);
  handler({header.seq, decoder.payload(), tail_bytes});
}

}  // namespace

void start(frame::Decoder* decoder) {
  g_decoder = decoder;
  network::start(decoder);
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
      return refuse(0, wire::Error::kBadFrame, static_cast<uint32_t>(g_decoder->capacity()),
                    "frame too long");
  }
}

}  // namespace dispatch
