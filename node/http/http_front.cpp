#include "node/http/http_front.h"

#include <algorithm>
#include <utility>

#include "bus/clock.h"
#include "bus/http/describe.h"
#include "bus/http/target.h"
#include "node/http/legacy_member.h"
#include "node/http/routes.h"
#include "node/web/assets.h"

namespace riftbus::node {

namespace {

constexpr int kDepthMax = 32;

// Deeper bodies are refused before anything recurses into them.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool is_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_text) {
      if (c == '\\') ++i;
      is_text = c != '"';
    } else if (c == '"') {
      is_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

http::Response busy() {
  return http::make_error({503, "BUSY", "the node has too much to answer now", {}});
}

http::Response too_late() {
  return http::make_error({504, "NO_ANSWER", "the node's loop has not answered in time", {}});
}

// What the answer depends on: arguments that the route does not know make no other question of it.
std::string key_of(const http::Request& request, const http::Route& route) {
  std::string key = request.path;
  for (const auto& parameter : route.parameters) {
    const auto found = request.query.find(std::string(parameter.name));
    if (found == request.query.end() || parameter.in != "query") continue;
    key += "\n" + found->first + "=" + found->second;
  }
  return key;
}

}  // namespace

std::optional<Json> read_body(const std::string& text) {
  if (text.empty()) return Json::object();
  if (is_too_deep(text)) return std::nullopt;
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

HttpFront::HttpFront(const NodeSettings& settings, const Tokens& tokens, HttpDesk& desk)
    : desk_(desk),
      router_(http_routes()),
      guard_(tokens.all, settings.http.hosts, tokens.tap_only) {}

Result<std::unique_ptr<HttpFront>> HttpFront::open(const NodeSettings& settings, HttpDesk& desk) {
  const auto tokens = load_tokens(settings.http);
  if (!tokens) return tokens.error();
  std::unique_ptr<HttpFront> front(new HttpFront(settings, *tokens, desk));
  front->beat(bus::boot_now());
  front->publish(desk.glance());
  http::ServerSettings server;
  server.host = settings.listen.http_host;
  server.port = settings.listen.http_port;
  server.health_port = static_cast<std::uint16_t>(settings.http.health_port);
  server.connections_max = static_cast<std::size_t>(settings.http.connections_max);
  auto* self = front.get();
  auto started =
      http::Server::start(server, {[self](http::Request& request) { return self->admit(request); },
                                   [self](http::Request request, http::Reply reply) {
                                     self->serve(std::move(request), std::move(reply));
                                   }});
  if (!started) return started.error();
  front->server_ = std::move(*started);
  return front;
}

HttpFront::~HttpFront() = default;

void HttpFront::publish(Glance glance) {
  auto next = std::make_shared<const Glance>(std::move(glance));
  const std::lock_guard lock(mutex_);
  glance_.swap(next);
}

std::shared_ptr<const Glance> HttpFront::glance() const {
  const std::lock_guard lock(mutex_);
  return glance_;
}

void HttpFront::beat(TimePoint now) { beat_ns_ = now.time_since_epoch().count(); }

Nanos HttpFront::loop_age() const { return bus::boot_now() - TimePoint(Nanos(beat_ns_.load())); }

void HttpFront::add_counters(std::map<std::string, std::uint64_t>& counters) const {
  const auto& seen = server_->counters();
  counters["http.connections"] = seen.connections;
  counters["http.open"] = seen.open;
  counters["http.requests"] = seen.requests;
  counters["http.malformed"] = seen.malformed;
  counters["http.evicted"] = seen.evicted;
  counters["http.late"] = seen.late;
  counters["http.streams"] = seen.streams;
}

// ---- the HTTP thread ---------------------------------------------------------------------------

std::optional<http::Response> HttpFront::admit(http::Request& request) const {
  auto target = http::parse_target(request.target);
  if (!target) {
    return http::make_error({400, "BAD_TARGET", "the request's target does not read", {}});
  }
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  if (const auto trouble = guard_.refuse_stranger(request)) return http::make_error(*trouble);
  auto matched = router_.match(request.method, request.path);
  if (const auto* wrong = std::get_if<http::WrongMethod>(&matched)) {
    auto refused = http::make_error({405, "WRONG_METHOD", "not that way", {}});
    refused.headers.emplace_back("Allow", wrong->allowed);
    return refused;
  }
  auto* match = std::get_if<http::Match>(&matched);
  const auto may_be_on_health_port = [](const HttpRoute& route) {
    return route.way == Way::here && route.own != Own::page && route.own != Own::stream &&
           route.own != Own::tap;
  };
  if (match == nullptr ||
      (request.on_health_port && !may_be_on_health_port(http_handlers()[match->index]))) {
    return http::make_error(
        {404, "NO_SUCH_PATH", "there is nothing here", {{"next", "see /openapi.json"}}});
  }
  if (const auto trouble = guard_.refuse_access(request, router_.route(match->index).access)) {
    return http::make_error(*trouble);
  }
  const auto access = router_.route(match->index).access;
  request.is_tap_only = access == http::Access::tap && !guard_.is_operator(request);
  if (access == http::Access::member) request.body_bytes_max = kSealedBodyMax;
  request.route = match->index;
  request.captured = std::move(match->captured);
  return std::nullopt;
}

void HttpFront::serve(http::Request request, http::Reply reply) {
  switch (http_handlers()[request.route].way) {
    case Way::here:
      return serve_own(request, reply);
    case Way::shared:
      return serve_shared(std::move(request), std::move(reply));
    case Way::single:
      break;
  }
  auto body = read_body(request.body);
  if (!body) {
    return reply(http::make_error({400, "BAD_JSON", "the body is not a JSON object", {}}));
  }
  request.body.clear();
  if (!ask_loop(std::move(request), std::move(*body), reply)) reply(busy());
}

bool HttpFront::ask_loop(http::Request request, Json body, http::Reply reply) {
  const HttpHandler handler = http_handlers()[request.route].handler;
  auto call = std::make_shared<const HttpCall>(
      HttpCall{std::move(request), std::move(body), std::move(reply)});
  return mailbox_.post(bus::boot_now() + http::kAnswerWithin,
                       [this, handler, call = std::move(call)](bool is_late) {
                         if (is_late) return call->reply(too_late());
                         handler(desk_, call);
                       });
}

void HttpFront::serve_own(const http::Request& request, const http::Reply& reply) {
  switch (http_handlers()[request.route].own) {
    case Own::health:
      return reply(request.on_health_port ? health_of_port() : health());
    case Own::ready:
      return reply(ready());
    case Own::stream:
      return reply(stream(request));
    case Own::tap:
      return serve_tap(request, reply);
    case Own::page:
      return reply(answer_page(request));
    case Own::openapi:
    case Own::none:
      break;
  }
  reply(http::make_response(200, http::openapi_document(router_.routes(), RIFTBUS_VERSION)));
}

// ---- what many ask -----------------------------------------------------------------------------

void HttpFront::serve_shared(http::Request request, http::Reply reply) {
  const std::string key = key_of(request, router_.route(request.route));
  if (!kept_.contains(key)) make_room();
  Kept& kept = kept_[key];
  const TimePoint now = bus::boot_now();
  if (kept.response.body && now - kept.at < kFreshFor) return reply(kept.response);
  if (loop_age() > kStoppedAfter) {
    if (!kept.response.body) {
      return reply(http::make_error({503, "LOOP_STOPPED", "the node's loop stands still", {}}));
    }
    http::Response old = kept.response;
    old.headers.emplace_back("Age", std::to_string(to_ms(now - kept.at) / 1000));
    old.headers.emplace_back("Warning", "110 - \"the node's loop stands still\"");
    return reply(std::move(old));
  }
  kept.waiting.push_back(std::move(reply));
  if (kept.is_asked) return;
  kept.is_asked = true;
  // The loop answers on its own thread; what is kept belongs to this one.
  const http::Reply back([this, key](http::Response response) {
    server_->run_soon([this, key, response = std::move(response)]() mutable {
      on_shared(key, std::move(response));
    });
  });
  if (!ask_loop(std::move(request), Json::object(), back)) on_shared(key, busy());
}

void HttpFront::on_shared(const std::string& key, http::Response response) {
  const auto found = kept_.find(key);
  if (found == kept_.end()) return;
  Kept& kept = found->second;
  kept.is_asked = false;
  const auto waiting = std::exchange(kept.waiting, {});
  for (const auto& reply : waiting) reply(response);
  // A loop that has no time just now does not make the last good answer a bad one.
  if (response.status >= 500) return;
  if (response.status != 200) {
    kept.response = {};
    return;
  }
  kept.response = std::move(response);
  kept.at = bus::boot_now();
}

// The oldest answers go; those that somebody waits for stay.
void HttpFront::make_room() {
  while (kept_.size() >= kKeptMax) {
    auto oldest = kept_.end();
    for (auto at = kept_.begin(); at != kept_.end(); ++at) {
      if (at->second.is_asked) continue;
      if (oldest == kept_.end() || at->second.at < oldest->second.at) oldest = at;
    }
    if (oldest == kept_.end()) return;
    kept_.erase(oldest);
  }
}

// ---- what needs no loop ------------------------------------------------------------------------

http::Response HttpFront::health() {
  const auto seen = glance();
  const TimePoint now = bus::boot_now();
  const auto load = meter_.look(now);
  const Nanos age = loop_age();
  const bool is_healthy = age < kDeadAfter;
  const bool accepts = is_healthy && seen->joined && seen->runs_work && !seen->draining &&
                       seen->jobs_running < seen->slots;
  const Json json{
      {"healthy", is_healthy},
      {"status", is_healthy ? "healthy" : "unhealthy"},
      {"node_id", seen->node},
      {"cluster", seen->cluster},
      {"role", seen->role},
      {"accepting_work", accepts},
      {"joined", seen->joined},
      {"cpu_percent", load.cpu_percent},
      {"memory_percent", load.memory_percent},
      {"disk_percent", seen->disk_percent},
      {"gpu_percent", 0},
      {"gpu_memory_percent", 0},
      {"selfplay_jobs", jobs_like(*seen, "selfplay")},
      {"training_jobs", jobs_like(*seen, "train")},
      {"jobs_running", seen->jobs_running},
      {"leader_id", seen->leader.empty() ? Json() : Json(seen->leader)},
      {"leader_last_seen_seconds",
       seen->leader_heard_ms ? Json(static_cast<double>(*seen->leader_heard_ms) / 1000) : Json()},
      {"active_peers", seen->alive},
      {"total_peers", seen->known},
      {"uptime_seconds", seconds_of(now - seen->started)},
      {"version", RIFTBUS_VERSION},
      {"loop_age_ms", to_ms(age)},
      {"timestamp", bus::format_wall(bus::wall_now_ms())}};
  return http::make_response(is_healthy ? 200 : 503, dump(json));
}

http::Response HttpFront::health_of_port() {
  const auto seen = glance();
  const Nanos age = loop_age();
  const bool is_alive = age < kDeadAfter;
  const Json json{{"alive", is_alive},
                  {"healthy", is_alive},
                  {"status", is_alive ? "healthy" : "unhealthy"},
                  {"node_id", seen->node},
                  {"role", seen->role},
                  {"uptime_seconds", seconds_of(bus::boot_now() - seen->started)},
                  {"main_port", seen->http_port},
                  {"isolated_health_server", true},
                  {"loop_age_ms", to_ms(age)},
                  {"timestamp", bus::format_wall(bus::wall_now_ms())}};
  return http::make_response(is_alive ? 200 : 503, dump(json));
}

http::Response HttpFront::ready() {
  const auto seen = glance();
  const Nanos age = loop_age();
  const bool is_ready = seen->joined && !seen->leaving && age < kStoppedAfter;
  const Json json{{"ready", is_ready},
                  {"node_id", seen->node},
                  {"joined", seen->joined},
                  {"leaving", seen->leaving},
                  {"loop_age_ms", to_ms(age)}};
  return http::make_response(is_ready ? 200 : 503, dump(json));
}

http::Response HttpFront::stream(const http::Request& request) {
  http::Response response;
  response.content_type = "text/event-stream";
  EventFeed::Place place;
  place.last_id = request.last_event_id;
  response.pull = [this, place]() mutable {
    refresh_feed();
    return feed_.read(place);
  };
  return response;
}

void HttpFront::refresh_feed() {
  const TimePoint now = bus::boot_now();
  if (now - feed_asked_ < kFreshFor) return;
  feed_asked_ = now;
  http::Request request;
  request.query["limit"] = "1000";
  if (!feed_.cursor().empty()) request.query["since"] = feed_.cursor();
  const http::Reply back([this](http::Response response) {
    server_->run_soon([this, response = std::move(response)] {
      if (response.status == 200) feed_.take(*response.body);
    });
  });
  auto call = std::make_shared<const HttpCall>(HttpCall{std::move(request), Json::object(), back});
  // Not taken: the next turn asks again.
  static_cast<void>(mailbox_.post(now + kFreshFor, [this, call = std::move(call)](bool is_late) {
    if (!is_late) answer_events(desk_, call);
  }));
}

}  // namespace riftbus::node
