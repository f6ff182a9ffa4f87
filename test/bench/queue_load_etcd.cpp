// etcd: one gRPC channel with a connection of its own, asynchronous calls on one completion queue.
//
// Requests are written by hand (two fields each): nothing is generated and nothing is parsed, which
// is cheaper for etcd's client than the usual way. A queue in etcd is a key per item.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>

#include "test/bench/queue_load.h"

namespace riftbus::bench {

namespace {

constexpr Seconds kCleanMax{20};

void write_field(std::string& out, int field, std::string_view bytes) {
  out.push_back(static_cast<char>(field << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7u) out.push_back(static_cast<char>(0x80 | (size & 0x7F)));
  out.push_back(static_cast<char>(size));
  out += bytes;
}

grpc::ByteBuffer request_of(std::string_view first, std::string_view second) {
  std::string bytes;
  write_field(bytes, 1, first);
  write_field(bytes, 2, second);
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

struct Call {
  std::uint32_t client = 0;
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer answer;
  grpc::Status status;
};

class EtcdDriver : public LoadDriver {
 public:
  EtcdDriver(const LoadOptions& options, std::size_t number) : prefix_("q/") {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else all would share a connection
    auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(options.port),
                                             grpc::InsecureChannelCredentials(), arguments);
    const auto deadline = std::chrono::system_clock::now() + std::chrono::seconds(10);
    if (!channel->WaitForConnected(deadline)) give_up("etcd does not answer");
    stub_ = std::make_unique<grpc::GenericStub>(channel);
    name_ = prefix_ + std::to_string(number) + "/" + std::to_string(now_ns()) + "/";
  }
  ~EtcdDriver() override {
    queue_.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
    }
  }

  void add(std::uint32_t client, std::string_view payload) override {
    if (calls_.size() <= client) calls_.resize(client + 1);
    Call& call = calls_[client];
    call.client = client;
    start(call, "/etcdserverpb.KV/Put", request_of(name_ + std::to_string(++items_), payload));
  }

  void consume(std::size_t) override { give_up("there are no trips through etcd here"); }

  void turn(Millis patience, LoadTurn& out) override {
    auto deadline = std::chrono::system_clock::now() + patience;
    void* tag = nullptr;
    bool ok = false;
    while (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT) {
      const Call& call = *static_cast<Call*>(tag);
      (ok && call.status.ok() ? out.added : out.failed).push_back(call.client);
      deadline = std::chrono::system_clock::now();
      // A turn ends now and then: the clients that were answered ask again.
      if (out.added.size() + out.failed.size() >= kTurnMax) return;
    }
  }

  void clean() override {
    Call call;
    std::string end = prefix_;
    ++end.back();
    start(call, "/etcdserverpb.KV/DeleteRange", request_of(prefix_, end));
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + kCleanMax;
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT ||
        !call.status.ok()) {
      give_up("etcd cannot delete: " + call.status.error_message());
    }
  }

 private:
  static constexpr std::size_t kTurnMax = 32;

  void start(Call& call, const std::string& method, const grpc::ByteBuffer& request) {
    call.context = std::make_unique<grpc::ClientContext>();
    call.answer.Clear();
    call.reader = stub_->PrepareUnaryCall(call.context.get(), method, request, &queue_);
    call.reader->StartCall();
    call.reader->Finish(&call.answer, &call.status, &call);
  }

  std::string prefix_;
  std::string name_;
  std::uint64_t items_ = 0;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
  std::deque<Call> calls_;  // by client; they do not move
};

}  // namespace

std::unique_ptr<LoadDriver> make_etcd(const LoadOptions& options, std::size_t number) {
  return std::make_unique<EtcdDriver>(options, number);
}

}  // namespace riftbus::bench
