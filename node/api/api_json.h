// The pieces from which Api builds its documents: shared by its satellites, private to node/.
//
// Json keeps the order in which keys were added, so that documents read from general to particular
// and golden tests are stable.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bus/wire/message.h"
#include "config/roster.h"
#include "node/api/api.h"

namespace riftbus::node {

using Json = nlohmann::ordered_json;

inline constexpr int kSchema = 1;
// A page of a long document ends before it grows over this size: an answer must fit into one
// message (limits.message_bytes_max).
inline constexpr std::size_t kPageBytesMax = 384 * 1024;

// A long list, sorted by id, in as many answers as it needs: the reader passes the last page's
// "after" as the argument "after", until it is empty.
class Page {
 public:
  explicit Page(const wire::Query& query);
  // Whether `id` comes after the reader's cursor.
  [[nodiscard]] bool wants(const NodeId& id) const { return id.value() > after_; }
  // False: the page is full and `item` begins the next one. A page holds at least one item.
  [[nodiscard]] bool add(const NodeId& id, Json item);
  // Puts the list and the next cursor into `document`.
  void finish(const char* list_name, Json& document);

 private:
  std::string after_;
  std::string last_;
  std::string next_;
  std::size_t bytes_ = 0;
  Json items_ = Json::array();
};

// The text of a document. Bytes that are not UTF-8 come from peers' records: they become U+FFFD.
[[nodiscard]] std::string dump(const Json& json);

// The text under this key; empty if there is none.
[[nodiscard]] std::string text_in(const Json& json, const char* key);

// {"schema":1,"document":name,"node":self,"cluster":...,"at":iso}: how every document begins.
[[nodiscard]] Json begin_document(std::string_view name, const NodeView& view);

// {"at":iso,"age_ms":n}, or null.
[[nodiscard]] Json time_json(TimePoint at, const NodeView& view);
[[nodiscard]] Json time_json(const std::optional<TimePoint>& at, const NodeView& view);
// Milliseconds with a fraction, or null.
[[nodiscard]] Json span_json(const std::optional<Nanos>& span);

// Words in a node's tags by which everybody knows that it takes no more work, or no more tunnels.
inline constexpr const char* kWorkTag = "riftbus.work";
inline constexpr const char* kRelayTag = "riftbus.relay";
inline constexpr const char* kDraining = "draining";
[[nodiscard]] bool is_draining(const membership::Member& member, const char* tag);
// Lives, and was told to. What is gone takes none either, but not for that.
[[nodiscard]] bool takes_no_work(const membership::Member& member);

[[nodiscard]] Json ids_json(const std::vector<NodeId>& ids);
[[nodiscard]] Json address_json(const wire::Address& address);
[[nodiscard]] Json member_json(const membership::Member& member, const NodeView& view);
// How this node hears `peer`; null if it does not watch it.
[[nodiscard]] Json watch_json(const membership::WatchReport* watch, const NodeView& view);
[[nodiscard]] Json history_json(const membership::Member& member, const NodeView& view);
// One connection of ours to a peer; null if we have none.
[[nodiscard]] Json connection_json(const std::optional<bus::LinkReport>& report,
                                   const NodeView& view);
// One address of a peer, as the connection `link` remembers it. `use`: calls or beats.
[[nodiscard]] Json path_json(const bus::PathReport& path, const char* use,
                             const bus::LinkReport& link, const NodeView& view);
// How this node hears a member: "bus", "relay", "http"; null: not at all.
[[nodiscard]] Json via_json(const NodeId& id, const NodeView& view);
// The way over HTTP as one of "paths", if there ever was one; and why it is in use, if it is.
void add_http_path(const NodeId& id, const NodeView& view, Json& paths);
[[nodiscard]] std::optional<std::string> http_reason(const NodeId& id, const NodeView& view);
// Adds "calls", "beats" and "paths": how we reach a peer.
void add_reach(const LinkView* link, const NodeView& view, Json& json);
[[nodiscard]] Json roster_entry_json(const RosterEntry& entry, const NodeView& view);

[[nodiscard]] const LinkView* find_link(const NodeView& view, const NodeId& peer);

// The documents, one function each; arguments are checked already.
[[nodiscard]] Json status_document(const NodeView& view);
[[nodiscard]] Json node_list_document(const wire::Query& query, const NodeView& view);
[[nodiscard]] Json node_show_document(const NodeId& id, const NodeView& view);
[[nodiscard]] Json why_node_document(const NodeId& id, const NodeView& view);
[[nodiscard]] Json link_list_document(const wire::Query& query, const NodeView& view);
[[nodiscard]] Json event_list_document(const wire::Query& query, std::size_t limit,
                                       const NodeView& view);

}  // namespace riftbus::node
