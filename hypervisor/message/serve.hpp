// Virtio devices of one partition that another serves: its driver's accesses wait for answers, its notifications for nobody.
#pragma once

#include <cstdint>

#include "device/virtio.hpp"

namespace partita {

struct Partition;
struct Vcpu;

// In a slot of its partition; nullptr: the slot is empty.
[[nodiscard]] VirtioDevice* device_in(const Partition& partition, std::uint32_t slot);

// The driver writes a register that needs no server. False: it does.
[[nodiscard]] bool write_at_once(VirtioDevice& device, std::uint32_t offset, std::uint32_t value);

// The virtual CPU asks the device's server, and waits: event::answer comes, with an answer or without. `syndrome`: of an access.
void ask_server(Vcpu& vcpu, VirtioDevice& device, std::uint32_t what, std::uint32_t value, std::uint32_t syndrome);
// The vCPU's request was settled. False: it was not, or the virtual CPU does not wait for it any more.
[[nodiscard]] bool settled(Vcpu& vcpu);

// A life of the partition begins: what its drivers wanted is forgotten.
void forget_drivers(Partition& partition);
// ... and its n-th device is to be let go by its server, before its memory is touched. Where it is to be waited for, the partition's first
// virtual CPU waits.
void release_device(Partition& partition, std::size_t n);

// A server's life ended: nobody waits for it. Or begins: it is to look at everything.
void leave_service(Partition& partition);
void enter_service(Partition& partition);

// TAKE, ANSWER and RAISE.
void take_request(Vcpu& vcpu);
void answer_request(Vcpu& vcpu);
void raise_interrupt(Vcpu& vcpu);

}  // namespace partita
