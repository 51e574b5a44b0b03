#include "message/trusted.hpp"

#include <optional>

#include "arch/address.hpp"
#include "machine/firmware.hpp"
#include "partita/trusted.h"
#include "partition/system.hpp"

namespace partita {

using std::uint32_t;

namespace {

// A partition's number, from 1 on: 0 is the hypervisor.
[[nodiscard]] uint32_t identity_of(const Partition& partition) { return partition.number + 1; }

// Memory of the partition alone, that it may read and write: no device, nothing that others have a part in.
[[nodiscard]] std::optional<uint32_t> own_page(const Partition& partition, uint32_t ipa) {
    constexpr uint32_t needed = PARTITA_REGION_READ | PARTITA_REGION_WRITE;
    constexpr uint32_t others =
        PARTITA_REGION_DEVICE | PARTITA_REGION_CHANNEL | PARTITA_REGION_SERVED | PARTITA_REGION_KEPT | PARTITA_REGION_SHARED;
    if (ipa % kPageSize != 0) return std::nullopt;
    for (const partita_region& region : partition.regions)
        if (IpaRange{Ipa{region.ipa}, region.size}.contains(Ipa{ipa}) && (region.flags & (needed | others)) == needed)
            return static_cast<uint32_t>(region.pa + (ipa - region.ipa));
    return std::nullopt;
}

[[nodiscard]] bool may_ask(const Partition& partition, uint32_t function) {
    const uint32_t allowed = partition.description->trusted, number = function - PARTITA_TRUSTED_CALL;
    if (allowed == 0 || !system().has_trusted_service) return false;
    if (function == PARTITA_TRUSTED_UID || function == PARTITA_TRUSTED_REVISION || function == PARTITA_TRUSTED_RESUME ||
        function == PARTITA_TRUSTED_CANCEL)
        return true;
    return number < 32 && (allowed >> number & 1) != 0;
}

}  // namespace

bool find_trusted_service() {
    firmware::Registers registers{PARTITA_TRUSTED_UID, 0, 0, 0};
    firmware::secure_call(registers, 0);
    return registers.r0 == PARTITA_TRUSTED_UID_0 && registers.r1 == PARTITA_TRUSTED_UID_1 && registers.r2 == PARTITA_TRUSTED_UID_2 &&
           registers.r3 == PARTITA_TRUSTED_UID_3;
}

void trusted_call(Vcpu& vcpu) {
    const uint32_t function = vcpu.r[0];
    firmware::Registers registers{function, vcpu.r[1], vcpu.r[2], vcpu.r[3]};
    if (!may_ask(*vcpu.partition, function)) {
        vcpu.r[0] = static_cast<uint32_t>(PARTITA_TRUSTED_NOT_SUPPORTED);
        return;
    }
    if (function - PARTITA_TRUSTED_CALL - 1 < 31) {
        const auto page = own_page(*vcpu.partition, vcpu.r[1]);
        if (!page) {
            vcpu.r[0] = static_cast<uint32_t>(PARTITA_TRUSTED_INVALID);
            return;
        }
        registers.r1 = *page;
    }
    firmware::secure_call(registers, identity_of(*vcpu.partition));
    vcpu.r[0] = registers.r0, vcpu.r[1] = registers.r1, vcpu.r[2] = registers.r2, vcpu.r[3] = registers.r3;
}

void forget_trusted_call(const Partition& partition) {
    if (partition.description->trusted == 0 || !system().has_trusted_service) return;
    firmware::Registers registers{PARTITA_TRUSTED_FORGET, identity_of(partition), 0, 0};
    firmware::secure_call(registers, 0);
}

}  // namespace partita
