#include "node/web/assets.h"

#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

// Written by web.cmake: where each file begins and ends.
// NOLINTBEGIN(readability-identifier-naming): the names are made of the files' own
extern "C" {
extern const char riftbus_web_index_html[];
extern const char riftbus_web_index_html_end[];
extern const char riftbus_web_app_js[];
extern const char riftbus_web_app_js_end[];
extern const char riftbus_web_app_css[];
extern const char riftbus_web_app_css_end[];
extern const char riftbus_web_icon_svg[];
extern const char riftbus_web_icon_svg_end[];
}
// NOLINTEND(readability-identifier-naming)

namespace riftbus::node {

namespace {

constexpr const char* kPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'";

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// FNV-1a: it names a version of a file, and protects nothing.
std::string tag_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char each : text) {
    hash = (hash ^ static_cast<unsigned char>(each)) * 1099511628211U;
  }
  char tag[24];
  std::snprintf(tag, sizeof tag, "\"%016llx\"", static_cast<unsigned long long>(hash));
  return tag;
}

http::Response make_page(const Asset& asset) {
  auto response =
      http::make_response(200, std::string(asset.text), std::string(asset.content_type));
  response.headers = {{"Content-Security-Policy", kPolicy},
                      {"Cache-Control", "no-cache"},
                      {"Referrer-Policy", "no-referrer"},
                      {"ETag", tag_of(asset.text)}};
  return response;
}

// Made once; the bodies are shared by all who ask.
const std::map<std::string_view, http::Response>& pages() {
  static const auto kMade = [] {
    std::map<std::string_view, http::Response> list;
    for (const Asset& asset : web_assets()) list.emplace(asset.path, make_page(asset));
    return list;
  }();
  return kMade;
}

}  // namespace

std::span<const Asset> web_assets() {
  static const std::array kAssets{
      Asset{"/", "text/html; charset=utf-8",
            between(riftbus_web_index_html, riftbus_web_index_html_end)},
      Asset{"/app.js", "text/javascript; charset=utf-8",
            between(riftbus_web_app_js, riftbus_web_app_js_end)},
      Asset{"/app.css", "text/css; charset=utf-8",
            between(riftbus_web_app_css, riftbus_web_app_css_end)},
      Asset{"/icon.svg", "image/svg+xml", between(riftbus_web_icon_svg, riftbus_web_icon_svg_end)}};
  return kAssets;
}

http::Response answer_page(const http::Request& request) {
  const auto found = pages().find(request.path);
  if (found != pages().end()) {
    auto response = found->second;
    if (!request.if_none_match.empty() && request.if_none_match == tag_of(*response.body)) {
      response.status = 304;
      response.body = nullptr;
    }
    return response;
  }
  return http::make_error({404, "NO_SUCH_PATH", "there is nothing here", {}});
}

}  // namespace riftbus::node
