// What a loaded vCPU's guest has at a virtual address: by its own translation, which only instruction emulation walks, and by what its
// partition's description gives it there.
#pragma once

#include <cstdint>
#include <string_view>

#include "arch/address.hpp"
#include "partition/vcpu.hpp"

namespace partita {

// How one part of an access went.
enum class Executed : std::uint8_t {
    done,
    again,             // the guest's instruction or its translation have changed meanwhile: it may try again
    unknown,           // no instruction that can be carried out
    refused,           // its partition has nothing there, or not for this
    refused_by_guest,  // the guest's own translation
};

// Why an element of an access was refused.
struct ElementFault {
    std::uint32_t address = 0, size = 0;
    bool write = false;
    std::uint64_t ipa = 0;
    std::string_view reason;
    std::uint32_t status = 0;  // of the guest's own translation, as DFSR holds it
};

struct AccessKind {
    bool write, privileged;
};

// The guest's own stage 1. 0 and the IPA, or what PAR says of the failure (DDI 0406C B4.1.112): PAR itself stays the guest's.
[[nodiscard]] std::uint32_t translate(std::uint32_t address, AccessKind kind, Ipa& ipa);

// One element of 1, 2 or 4 bytes, in the byte order of memory. One that is not aligned, or goes on in another page, is several of its
// bytes.
[[nodiscard]] Executed read_element(Vcpu& vcpu, std::uint32_t address, unsigned size, bool privileged, std::uint32_t& value,
                                    ElementFault& fault);
[[nodiscard]] Executed write_element(Vcpu& vcpu, std::uint32_t address, unsigned size, bool privileged, std::uint32_t value,
                                     ElementFault& fault);

// What a loaded vCPU has on its stack, for the report of its end (LastWords).
void keep_stack(Vcpu& vcpu);

// `size` (2 or 4) bytes of the partition's memory where an instruction lies. False: it is not to be had there any more.
[[nodiscard]] bool fetch(const Vcpu& vcpu, std::uint32_t address, unsigned size, bool privileged, std::uint32_t& value);

}  // namespace partita
