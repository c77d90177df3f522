// frame.{h,cc} alone: published vectors, the golden frames that Python wrote, every way a frame can
// be cut or damaged. Usage: unit <folder of golden files>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/tinyrobust/frame.h"
#include "common/crc32.h"

namespace {

using Bytes = std::vector<uint8_t>;
using frame::Event;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                        \
    }                                                                 \
  } while (false)

Bytes g_sent;

void keep(const uint8_t* from, size_t n) {
  CHECK(n <= 255);  // never more than one COBS block at a time
  g_sent.insert(g_sent.end(), from, from + n);
}

Bytes from_hex(const std::string& text) {
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<uint8_t>(strtoul(text.substr(i, 2).c_str(), nullptr, 16)));
  }
  return out;
}

Bytes encode(const Bytes& payload, size_t piece) {
  g_sent.clear();
  frame::Encoder encoder(keep, wire::Type::kInfer, 0x0100);
  for (size_t at = 0; at < payload.size(); at += piece) {
    encoder.put(payload.data() + at, std::min(piece, payload.size() - at));
  }
  encoder.end();
  return g_sent;
}

// The event that ends `bytes`, fed in pieces; all of them must be taken.
Event feed(frame::Decoder* decoder, const Bytes& bytes, size_t piece) {
  Event event = Event::kNone;
  for (size_t at = 0; at < bytes.size();) {
    CHECK(event == Event::kNone);
    at += decoder->feed(bytes.data() + at, std::min(piece, bytes.size() - at), &event);
  }
  return event;
}

void crc_is_that_of_ieee_802_3() {
  const uint8_t check[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  CHECK(common::crc32(0, check, 9) == 0xcbf43926);
  CHECK(common::crc32(common::crc32(0, check, 4), check + 4, 5) == 0xcbf43926);
}

size_t golden_frames_in_both_directions(const char* folder) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".hex") continue;
    std::ifstream file(entry.path());
    std::string plain_hex, wire_hex;
    CHECK(std::getline(file, plain_hex) && std::getline(file, wire_hex));
    const Bytes plain = from_hex(plain_hex), wire = from_hex(wire_hex);
    CHECK(plain.size() >= frame::kMinBytes);
    for (size_t piece : {size_t{1}, size_t{7}, size_t{254}, wire.size()}) {
      Bytes buffer(plain.size());
      frame::Decoder decoder;
      decoder.use(buffer.data(), buffer.size());
      CHECK(feed(&decoder, wire, piece) == Event::kFrame);
      CHECK(buffer == plain);
      CHECK(decoder.payload_bytes() == plain.size() - frame::kMinBytes);
      const wire::FrameHeader header = decoder.header();
      g_sent.clear();
      frame::Encoder encoder(keep, static_cast<wire::Type>(header.type), header.seq);
      encoder.put(decoder.payload(), decoder.payload_bytes());
      encoder.end();
      CHECK(g_sent == wire);
    }
    ++count;
  }
  return count;
}

void every_length_around_a_block_survives_the_round_trip() {
  for (size_t n : std::initializer_list<size_t>{0, 1, 245, 246, 247, 248, 253, 254, 255, 256, 500,
                                                508, 509, 762, 1000}) {
    for (int zero_every : {0, 1, 2, 253, 254, 255}) {
      Bytes payload(n);
      for (size_t i = 0; i < n; ++i) {
        const bool zero = zero_every > 0 && (i + 1) % static_cast<size_t>(zero_every) == 0;
        payload[i] = zero ? uint8_t{0} : static_cast<uint8_t>(i % 255 + 1);
      }
      const Bytes wire = encode(payload, 3);
      CHECK(wire == encode(payload, n + 1));
      CHECK(wire.size() <= frame::encoded_bytes(n + frame::kMinBytes));
      Bytes buffer(n + frame::kMinBytes);
      frame::Decoder decoder;
      decoder.use(buffer.data(), buffer.size());
      CHECK(feed(&decoder, wire, 5) == Event::kFrame);
      CHECK(decoder.payload_bytes() == n);
      CHECK(n == 0 || memcmp(decoder.payload(), payload.data(), n) == 0);
    }
  }
}

void damage_is_noticed_and_the_next_frame_is_read() {
  const Bytes payload = {1, 0, 2, 3, 0, 0, 4};
  const Bytes good = encode(payload, 7);
  Bytes buffer(64);
  frame::Decoder decoder;
  decoder.use(buffer.data(), buffer.size());
  for (size_t at = 0; at + 1 < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] = static_cast<uint8_t>(bad[at] ^ (1 << bit));
      for (size_t i = 0; i < bad.size();) {
        Event event;
        i += decoder.feed(bad.data() + i, bad.size() - i, &event);
        CHECK(event != Event::kFrame);
      }
      CHECK(feed(&decoder, good, good.size()) == Event::kFrame);
    }
    Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at));
    cut.push_back(0);
    CHECK(feed(&decoder, cut, cut.size()) == (at == 0 ? Event::kNone : Event::kBad));
    CHECK(feed(&decoder, good, good.size()) == Event::kFrame);
  }
}

void oversized_frames_are_skipped_up_to_their_delimiter() {
  Bytes buffer(32);
  frame::Decoder decoder;
  decoder.use(buffer.data(), buffer.size());
  const Bytes fits = encode(Bytes(32 - frame::kMinBytes, 9), 8);
  for (size_t n : {33 - frame::kMinBytes, size_t{300}, size_t{100000}}) {
    CHECK(feed(&decoder, encode(Bytes(n, 7), 64), 11) == Event::kOversized);
    CHECK(feed(&decoder, fits, 3) == Event::kFrame);
  }
}

void frames_back_to_back_and_idle_delimiters() {
  Bytes stream = {0, 0};
  const Bytes one = encode({5}, 1);
  for (int i = 0; i < 3; ++i) {
    stream.insert(stream.end(), one.begin(), one.end());
    stream.push_back(0);
  }
  Bytes buffer(16);
  frame::Decoder decoder;
  decoder.use(buffer.data(), buffer.size());
  int frames = 0;
  for (size_t at = 0; at < stream.size();) {
    Event event;
    at += decoder.feed(stream.data() + at, stream.size() - at, &event);
    frames += event == Event::kFrame;
    CHECK(event == Event::kFrame || event == Event::kNone);
  }
  CHECK(frames == 3);
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 2);
  crc_is_that_of_ieee_802_3();
  const size_t golden = golden_frames_in_both_directions(argv[1]);
  CHECK(golden > 0);
  every_length_around_a_block_survives_the_round_trip();
  damage_is_noticed_and_the_next_frame_is_read();
  oversized_frames_are_skipped_up_to_their_delimiter();
  frames_back_to_back_and_idle_delimiters();
  printf("frame: %zu golden frames and all checks passed\n", golden);
  return 0;
}
