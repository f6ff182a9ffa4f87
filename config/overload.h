// Overload: one function object of several lambdas, for std::visit.
//
//   std::visit(Overload{[](const Beat& beat) {...}, [](const auto&) {...}}, message);
#pragma once

namespace riftbus {

template <class... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overload(Cases...) -> Overload<Cases...>;

}  // namespace riftbus
