// Writer: walks fields.h and appends msgpack to a string, each number in its shortest form.
//
// The packing is msgpack-cxx's; the buffer is a plain std::string so that
// the result is ready to send without a copy.
#pragma once

#include <array>
#include <map>
#include <msgpack.hpp>
#include <optional>
#include <string>
#include <type_traits>

#include "bus/wire/fields.h"

namespace riftbus::wire {

class Writer {
 public:
  template <class T>
  using Ref = const T&;

  explicit Writer(std::string& out) : buffer_{out}, packer_(buffer_) {}

  template <class... Fields>
  void operator()(const Fields&... all) {
    array(sizeof...(Fields));
    (write(all), ...);
  }
  void array(std::size_t count) { packer_.pack_array(static_cast<std::uint32_t>(count)); }

  template <class T>
  requires std::is_integral_v<T>
  void write(T number) { packer_.pack(number); }
  template <class T>
  requires std::is_enum_v<T>
  void write(T choice) { packer_.pack(static_cast<std::uint64_t>(choice)); }
  template <class Tag>
  void write(Strong<Tag, std::uint64_t> number) {
    packer_.pack(number.value());
  }
  void write(const NodeId& id) { text(id.value()); }

  template <class S>
  void write(const Text<S>& field) {
    text(field.value);
  }
  template <class S>
  void write(const Bytes<S>& field) {
    const auto size = static_cast<std::uint32_t>(field.value.size());
    packer_.pack_bin(size);
    packer_.pack_bin_body(field.value.data(), size);
  }
  template <class I>
  void write(const MaybeId<I>& field) {
    text(field.value.value());
  }
  template <class L>
  void write(const List<L>& field) {
    array(field.values.size());
    for (const auto& value : field.values) write(value);
  }
  template <class M>
  void write(const TextMap<M>& field) {
    packer_.pack_map(static_cast<std::uint32_t>(field.values.size()));
    for (const auto& [key, value] : field.values) {
      text(key);
      text(value);
    }
  }
  template <class T, std::size_t N>
  void write(const std::array<T, N>& values) {
    array(N);
    for (const auto& value : values) write(value);
  }
  template <class T>
  void write(const std::optional<T>& value) {
    if (value) {
      write(*value);
    } else {
      packer_.pack_nil();
    }
  }
  // A struct with its own fields().
  template <class T>
  requires std::is_class_v<T> && requires(Writer& w, const T& value) { fields(w, value); }
  void write(const T& value) { fields(*this, value); }

 private:
  struct StringBuffer {
    std::string& out;
    void write(const char* data, std::size_t size) { out.append(data, size); }
  };

  void text(const std::string& value) {
    const auto size = static_cast<std::uint32_t>(value.size());
    packer_.pack_str(size);
    packer_.pack_str_body(value.data(), size);
  }

  StringBuffer buffer_;
  msgpack::packer<StringBuffer> packer_;
};

}  // namespace riftbus::wire
