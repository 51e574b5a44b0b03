// Memory of Hyp's own, each piece behind a page that is not mapped.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arch/address.hpp"

namespace partita {

// Maps `count` pieces of `each` bytes, whole pages, whose memory follows each other from pa on: each lies behind a page that nothing is
// mapped at. Returns where the first of those pages is; the next is each + kPageSize bytes further. Once, at boot.
[[nodiscard]] std::byte* behind_guards(PhysAddr pa, std::size_t each, std::size_t count);

}  // namespace partita
