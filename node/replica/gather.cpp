#include "node/replica/gather.h"

namespace riftbus::replica {

namespace {

constexpr int kMemory = 8;  // writes, of which the usual time is the fading mean

}  // namespace

void Gather::on_answer(TimePoint now) {
  ++awaited_;
  answered_at_ = now;
}

void Gather::on_write(consensus::WriteSeq seq, TimePoint now) {
  if (issued_ == written_) {
    timed_ = seq;
    timed_at_ = now;
  }
  issued_ = seq;
}

void Gather::on_written(consensus::WriteSeq seq, TimePoint now) {
  if (written_ < timed_ && timed_ <= seq) {
    const Nanos took = now - timed_at_;
    usual_write_ += usual_write_ == Nanos() ? took : (took - usual_write_) / kMemory;
  }
  written_ = std::max(written_, seq);
  written_at_ = now;
}

TimePoint Gather::due(std::size_t waiting, std::size_t open) const {
  if (longest_ == Nanos() || waiting >= kEnough) return TimePoint();
  if (written_ < issued_) return first_at_ + std::min(usual_write_ * 2, longest_ * kHoldsMax);
  TimePoint due = first_at_;
  if (open > 0) due = std::max(due, written_at_ + patience());
  if (awaited_ > 0) due = std::max(due, answered_at_ + patience());
  return due;
}

}  // namespace riftbus::replica
