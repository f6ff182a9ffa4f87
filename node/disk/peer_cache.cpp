#include "node/disk/peer_cache.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace riftbus::node {

namespace {

constexpr int kBusyTimeoutMs = 2000;

Error database_error(const SQLite::Exception& failure, const std::string& path) {
  return Error{1410, std::string("peer cache: ") + failure.what(), path,
               "free space or delete the file; it is only a cache"};
}

std::string to_text(const std::vector<wire::Address>& addresses) {
  auto list = nlohmann::json::array();
  for (const auto& address : addresses) {
    list.push_back(
        {static_cast<int>(address.kind), address.host, address.call_port, address.pub_port});
  }
  return list.dump();
}

// Whatever does not parse is dropped: the file is a cache and may have been edited.
std::vector<wire::Address> parse_addresses(const std::string& text) {
  std::vector<wire::Address> addresses;
  const auto list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) return addresses;
  for (const auto& item : list) {
    if (!item.is_array() || item.size() != 4 || !item[0].is_number_unsigned() ||
        !item[1].is_string() || !item[2].is_number_unsigned() || !item[3].is_number_unsigned()) {
      continue;
    }
    const auto kind = item[0].get<std::uint64_t>();
    if (kind < 1 || kind > 5) continue;
    addresses.push_back({static_cast<wire::AddressKind>(kind), item[1].get<std::string>(),
                         static_cast<std::uint16_t>(item[2].get<std::uint64_t>()),
                         static_cast<std::uint16_t>(item[3].get<std::uint64_t>())});
  }
  return addresses;
}

std::unique_ptr<SQLite::Database> open_database(const std::string& path) {
  auto database = std::make_unique<SQLite::Database>(
      path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
  database->exec("PRAGMA journal_mode=WAL");
  // NORMAL, not FULL: losing the last half minute of sightings in a power cut costs nothing.
  database->exec("PRAGMA synchronous=NORMAL");
  database->exec(
      "CREATE TABLE IF NOT EXISTS peers("
      "id TEXT PRIMARY KEY, addresses TEXT NOT NULL, reputation REAL NOT NULL,"
      "successes INTEGER NOT NULL, failures INTEGER NOT NULL, last_seen_s INTEGER NOT NULL,"
      "is_seed INTEGER NOT NULL) WITHOUT ROWID");
  // Reads every page now, not in the middle of a bootstrap.
  SQLite::Statement check(*database, "PRAGMA quick_check(1)");
  if (!check.executeStep() || check.getColumn(0).getString() != "ok") {
    throw SQLite::Exception("database disk image is malformed");
  }
  return database;
}

}  // namespace

double updated_reputation(double before, bool reached) {
  return before * (1 - kReputationAlpha) + (reached ? kReputationAlpha : 0);
}

PeerCache::PeerCache(std::string path, std::unique_ptr<SQLite::Database> database, Limits limits)
    : path_(std::move(path)), database_(std::move(database)), limits_(limits) {}
PeerCache::~PeerCache() = default;

Result<std::unique_ptr<PeerCache>> PeerCache::open(const std::string& path, Limits limits,
                                                   std::string& note) {
  std::error_code unknown;
  const bool is_new = !std::filesystem::exists(path, unknown) && !unknown;
  if (is_new) return std::unique_ptr<PeerCache>(new PeerCache(path, nullptr, limits));
  try {
    return std::unique_ptr<PeerCache>(new PeerCache(path, open_database(path), limits));
  } catch (const SQLite::Exception& failure) {
    note = "peer cache " + path + " is unreadable (" + failure.what() + "); moved aside to " +
           path + ".corrupt and begun anew";
  }
  std::rename(path.c_str(), (path + ".corrupt").c_str());
  for (const char* suffix : {"-wal", "-shm"}) std::remove((path + suffix).c_str());
  try {
    return std::unique_ptr<PeerCache>(new PeerCache(path, open_database(path), limits));
  } catch (const SQLite::Exception& failure) {
    return database_error(failure, path);
  }
}

Result<std::vector<CachedPeer>> PeerCache::load(std::int64_t now_s) {
  if (!database_) return std::vector<CachedPeer>{};
  try {
    std::vector<CachedPeer> peers;
    SQLite::Statement rows(
        *database_,
        "SELECT id, addresses, reputation, successes, failures, last_seen_s, is_seed "
        "FROM peers WHERE last_seen_s >= ? ORDER BY is_seed DESC, reputation DESC, id");
    rows.bind(1, now_s - limits_.ttl_s);
    while (rows.executeStep()) {
      const auto id = NodeId::parse(rows.getColumn(0).getString());
      if (!id) continue;
      peers.push_back({*id, parse_addresses(rows.getColumn(1).getString()),
                       rows.getColumn(2).getDouble(),
                       static_cast<std::uint64_t>(rows.getColumn(3).getInt64()),
                       static_cast<std::uint64_t>(rows.getColumn(4).getInt64()),
                       rows.getColumn(5).getInt64(), rows.getColumn(6).getInt() != 0});
    }
    return peers;
  } catch (const SQLite::Exception& failure) {
    return database_error(failure, path_);
  }
}

Status PeerCache::save(const std::vector<PeerSighting>& sightings, std::int64_t now_s) {
  try {
    if (!database_) database_ = open_database(path_);
    SQLite::Transaction transaction(*database_);
    SQLite::Statement insert(
        *database_,
        "INSERT INTO peers VALUES(?1, ?2, 0.5, 0, 0, ?3, ?4) ON CONFLICT(id) DO NOTHING");
    SQLite::Statement update(
        *database_,
        "UPDATE peers SET addresses = CASE WHEN ?2 = '[]' THEN addresses ELSE ?2 END,"
        "reputation = reputation * (1 - ?5) + CASE WHEN ?6 THEN ?5 ELSE 0 END,"
        "successes = successes + ?6, failures = failures + 1 - ?6,"
        "last_seen_s = CASE WHEN ?6 THEN ?3 ELSE last_seen_s END, is_seed = ?4 WHERE id = ?1");
    for (const auto& sighting : sightings) {
      for (auto* statement : {&insert, &update}) {
        statement->bind(1, sighting.id.value());
        statement->bind(2, to_text(sighting.addresses));
        statement->bind(3, now_s);
        statement->bind(4, sighting.is_seed ? 1 : 0);
      }
      update.bind(5, kReputationAlpha);
      update.bind(6, sighting.reached ? 1 : 0);
      for (auto* statement : {&insert, &update}) {
        statement->exec();
        statement->reset();
      }
    }
    SQLite::Statement expire(*database_, "DELETE FROM peers WHERE last_seen_s < ?");
    expire.bind(1, now_s - limits_.ttl_s);
    expire.exec();
    SQLite::Statement trim(*database_,
                           "DELETE FROM peers WHERE id NOT IN (SELECT id FROM peers "
                           "ORDER BY is_seed DESC, reputation DESC, last_seen_s DESC, id LIMIT ?)");
    trim.bind(1, limits_.entries_max);
    trim.exec();
    transaction.commit();
    return Ok{};
  } catch (const SQLite::Exception& failure) {
    return database_error(failure, path_);
  }
}

Status PeerCache::forget(const NodeId& id) {
  if (!database_) return Ok{};
  try {
    SQLite::Statement statement(*database_, "DELETE FROM peers WHERE id = ?");
    statement.bind(1, id.value());
    statement.exec();
    return Ok{};
  } catch (const SQLite::Exception& failure) {
    return database_error(failure, path_);
  }
}

}  // namespace riftbus::node
