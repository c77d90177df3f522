// Generated from tinyrobust/core/abi/wire by tinyrobust/core/abi/headers.py; do not edit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wire {

constexpr uint32_t kProtocol = 0x82679c8b;
constexpr uint32_t kFirstBaud = 115200;
constexpr uint32_t kLoadChunk = 4096;
constexpr uint32_t kMaxTensor = 1048576;
constexpr uint32_t kMaxProfiled = 128;
constexpr uint32_t kMaxText = 120;

enum class Type : uint8_t {
  kHello = 1,
  kLoad = 2,
  kInfer = 3,
  kLayer = 4,
  kReset = 5,
  kProfile = 6,
  kInfo = 129,
  kLoaded = 130,
  kResult = 131,
  kLayerData = 132,
  kProfiled = 134,
  kError = 255,
};

enum class Error : uint32_t {
  kBadFrame = 1,
  kUnknownType = 2,
  kBadLength = 3,
  kNoPlan = 4,
  kPlanRejected = 5,
  kPlanTooLarge = 6,
  kWrongOffset = 7,
  kEngineFailed = 8,
};

enum class TickUnit : uint32_t {
  kNone = 0,
  kCpuCycles = 1,
  kCmsdkTimer = 2,
  kHostNs = 3,
  kSystick = 4,
};

struct FrameHeader {
  uint8_t type;
  uint8_t flags;
  uint16_t seq;
};
static_assert(sizeof(FrameHeader) == 4);
static_assert(offsetof(FrameHeader, type) == 0);
static_assert(offsetof(FrameHeader, flags) == 1);
static_assert(offsetof(FrameHeader, seq) == 2);

struct Hello {
  uint32_t protocol;
  uint32_t baud;
};
static_assert(sizeof(Hello) == 8);
static_assert(offsetof(Hello, protocol) == 0);
static_assert(offsetof(Hello, baud) == 4);

struct Tensor {
  uint32_t dims[4];
  uint32_t dtype;
  float scale;
  int32_t zero_point;
};
static_assert(sizeof(Tensor) == 28);
static_assert(offsetof(Tensor, dims) == 0);
static_assert(offsetof(Tensor, dtype) == 16);
static_assert(offsetof(Tensor, scale) == 20);
static_assert(offsetof(Tensor, zero_point) == 24);

struct Info {
  uint32_t protocol;
  uint32_t plan_crc;
  uint32_t plan_ready;
  uint32_t cpuid;
  uint32_t clock_hz;
  uint32_t tick_unit;
  uint32_t pool_bytes;
  uint32_t plan_bytes;
  uint32_t plan_in_ram;
  uint32_t arena_bytes;
  uint32_t scratch_bytes;
  uint32_t pool_free;
  uint32_t max_frame;
  uint32_t rx_ring;
  uint32_t window;
  uint32_t n_ops;
  uint32_t baud;
  uint32_t max_baud;
  uint32_t stack_bytes;
  uint32_t stack_used;
  Tensor input;
  Tensor output;
  uint8_t uid[12];
  uint8_t build_id[20];
  uint8_t plan_id[32];
  char firmware[24];
  char engine[32];
  char board[24];
};
static_assert(sizeof(Info) == 280);
static_assert(offsetof(Info, protocol) == 0);
static_assert(offsetof(Info, plan_crc) == 4);
static_assert(offsetof(Info, plan_ready) == 8);
static_assert(offsetof(Info, cpuid) == 12);
static_assert(offsetof(Info, clock_hz) == 16);
static_assert(offsetof(Info, tick_unit) == 20);
static_assert(offsetof(Info, pool_bytes) == 24);
static_assert(offsetof(Info, plan_bytes) == 28);
static_assert(offsetof(Info, plan_in_ram) == 32);
static_assert(offsetof(Info, arena_bytes) == 36);
static_assert(offsetof(Info, scratch_bytes) == 40);
static_assert(offsetof(Info, pool_free) == 44);
static_assert(offsetof(Info, max_frame) == 48);
static_assert(offsetof(Info, rx_ring) == 52);
static_assert(offsetof(Info, window) == 56);
static_assert(offsetof(Info, n_ops) == 60);
static_assert(offsetof(Info, baud) == 64);
static_assert(offsetof(Info, max_baud) == 68);
static_assert(offsetof(Info, stack_bytes) == 72);
static_assert(offsetof(Info, stack_used) == 76);
static_assert(offsetof(Info, input) == 80);
static_assert(offsetof(Info, output) == 108);
static_assert(offsetof(Info, uid) == 136);
static_assert(offsetof(Info, build_id) == 148);
static_assert(offsetof(Info, plan_id) == 168);
static_assert(offsetof(Info, firmware) == 200);
static_assert(offsetof(Info, engine) == 224);
static_assert(offsetof(Info, board) == 256);

struct Load {
  uint32_t total;
  uint32_t offset;
};
static_assert(sizeof(Load) == 8);
static_assert(offsetof(Load, total) == 0);
static_assert(offsetof(Load, offset) == 4);

struct Loaded {
  uint32_t next_offset;
  uint32_t ready;
};
static_assert(sizeof(Loaded) == 8);
static_assert(offsetof(Loaded, next_offset) == 0);
static_assert(offsetof(Loaded, ready) == 4);

struct Infer {
  uint32_t plan_crc;
};
static_assert(sizeof(Infer) == 4);
static_assert(offsetof(Infer, plan_crc) == 0);

struct Result {
  uint64_t ticks;
  uint32_t input_crc;
  uint32_t plan_crc;
};
static_assert(sizeof(Result) == 16);
static_assert(offsetof(Result, ticks) == 0);
static_assert(offsetof(Result, input_crc) == 8);
static_assert(offsetof(Result, plan_crc) == 12);

struct Layer {
  uint32_t plan_crc;
  uint32_t op;
};
static_assert(sizeof(Layer) == 8);
static_assert(offsetof(Layer, plan_crc) == 0);
static_assert(offsetof(Layer, op) == 4);

struct LayerData {
  uint32_t input_crc;
  uint32_t op;
};
static_assert(sizeof(LayerData) == 8);
static_assert(offsetof(LayerData, input_crc) == 0);
static_assert(offsetof(LayerData, op) == 4);

struct Profile {
  uint32_t plan_crc;
};
static_assert(sizeof(Profile) == 4);
static_assert(offsetof(Profile, plan_crc) == 0);

struct Profiled {
  uint64_t ticks;
  uint32_t input_crc;
  uint32_t n_ops;
};
static_assert(sizeof(Profiled) == 16);
static_assert(offsetof(Profiled, ticks) == 0);
static_assert(offsetof(Profiled, input_crc) == 8);
static_assert(offsetof(Profiled, n_ops) == 12);

struct OperatorTicks {
  uint32_t ticks;
  char name[28];
};
static_assert(sizeof(OperatorTicks) == 32);
static_assert(offsetof(OperatorTicks, ticks) == 0);
static_assert(offsetof(OperatorTicks, name) == 4);

struct Reset {
  uint32_t reserved;
};
static_assert(sizeof(Reset) == 4);
static_assert(offsetof(Reset, reserved) == 0);

struct ErrorReply {
  uint32_t code;
  uint32_t detail;
};
static_assert(sizeof(ErrorReply) == 8);
static_assert(offsetof(ErrorReply, code) == 0);
static_assert(offsetof(ErrorReply, detail) == 4);

// Bytes of the fixed body, 0 for an unknown type.
constexpr uint32_t body_bytes(Type key) {
  switch (key) {
    case Type::kHello:
      return sizeof(Hello);
    case Type::kLoad:
      return sizeof(Load);
    case Type::kInfer:
      return sizeof(Infer);
    case Type::kLayer:
      return sizeof(Layer);
    case Type::kReset:
      return sizeof(Reset);
    case Type::kProfile:
      return sizeof(Profile);
    case Type::kInfo:
      return sizeof(Info);
    case Type::kLoaded:
      return sizeof(Loaded);
    case Type::kResult:
      return sizeof(Result);
    case Type::kLayerData:
      return sizeof(LayerData);
    case Type::kProfiled:
      return sizeof(Profiled);
    case Type::kError:
      return sizeof(ErrorReply);
    default:
      return 0;
  }
}

// Longest tail in bytes, 0 where there is none.
constexpr uint32_t max_tail(Type key) {
  switch (key) {
    case Type::kLoad:
      return 4096;
    case Type::kInfer:
      return 1048576;
    case Type::kLayer:
      return 1048576;
    case Type::kProfile:
      return 1048576;
    case Type::kResult:
      return 1048576;
    case Type::kLayerData:
      return 1048576;
    case Type::kProfiled:
      return 4096;
    case Type::kError:
      return 120;
    default:
      return 0;
  }
}

}  // namespace wire
