// The decoder of loads and stores: whatever the word is, what comes out can be carried out, or says that it cannot.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "trap/memory_access.hpp"

namespace {

using partita::MemoryAccess;
using Form = MemoryAccess::Form;

void require(bool good) {
    if (!good) std::abort();
}

void look_at(const MemoryAccess& access) {
    if (access.form == Form::none || access.form == Form::unsupported) return;
    require(access.rt < 32 && access.rt2 < 16 && access.rd < 16 && access.rn < 16 && access.rm <= MemoryAccess::no_register);
    require(access.rt < 16 || access.form == Form::vfp);
    require(access.amount <= 32);
    require(access.size == 1 || access.size == 2 || access.size == 4 || access.size == 8);
    switch (access.form) {
        case Form::multiple: require(access.list != 0 && access.size == 4); break;
        case Form::vfp: require(access.count != 0 && access.count <= 32 && access.rt + access.count <= 32u && access.size >= 4); break;
        case Form::single: require(access.size <= 4); break;
        case Form::swap: require(access.size == 1 || access.size == 4); break;
        case Form::table_branch: require(access.size <= 2 && !access.write); break;
        default: break;
    }
    // What a base register becomes must not be lost in what is loaded.
    if (access.writeback && access.form == Form::single) require(access.rn != access.rt && access.rn != 15);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (; size >= 4; data += 4, size -= 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, data, 4);
        look_at(partita::decode_a32(word));
        look_at(partita::is_wide(word >> 16) ? partita::decode_t32(word) : partita::decode_t16(word & 0xffffu));
    }
    return 0;
}
