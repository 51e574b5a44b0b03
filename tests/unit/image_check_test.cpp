#include "boot/image_check.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include <cstring>
#include <functional>
#include "random.hpp"

#include "arch/address.hpp"
#include "pack/describe.hpp"

namespace partita {
namespace {

// Two partitions that differ in everything, as the tool would describe them.
std::vector<std::uint64_t> good_image() {
    static tool::Board board;
    board.cpus = {0, 1};
    board.memory = {{0x4000'0000, 0x4000'0000}};
    board.gicd = {0x0800'0000, 0x1000}, board.gicc = {0x0801'0000, 0x2000}, board.gich = {0x0803'0000, 0x1000},
    board.gicv = {0x0804'0000, 0x2000};
    board.uart = {0x0900'0000, 0x1000}, board.uart_interrupt = 33;
    board.smmu = {0x0905'0000, 0x2'0000}, board.smmu_interrupt = 106;
    board.pci = tool::PciHost{"/pcie", {0x3f00'0000, 0x100'0000}, {0x1000'0000, 0x2000'0000}};
    static std::array<tool::BoardDevice, 2> functions;
    for (std::uint32_t n = 0; n < 2; ++n) {
        functions[n].stream = 8 + n * 8;
        functions[n].pci =
            tool::PciFunction{8 + n * 8, 1, 0x11e8'1234, {0x1010'0004 + n * 0x4000, 0, 0, 0, 0, 0}, {0xffff'c004, ~0u, 0, 0, 0, 0}};
    }
    tool::Plan plan;
    plan.board = &board;
    plan.slices = {0, 0};
    plan.schedules.push_back({"first", 500, {{{0, 100, 1, {}}, {100, 400, 2, {}}}, {}}});
    plan.schedules.push_back({"second", 300, {{{0, 300, 3, {}}}, {}}});
    for (std::uint64_t n = 0; n < 2; ++n) {
        tool::PlannedPartition partition;
        partition.name = n == 0 ? "one" : "two";
        partition.cpus = {static_cast<std::uint32_t>(n)};
        partition.entry = tool::platform::ram;
        constexpr std::uint32_t memory = PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_EXECUTE;
        partition.regions.push_back({"memory", tool::platform::ram, 0x5000'0000 + n * 0x20'0000, 0x20'0000, memory});
        partition.regions.push_back({"gicv", tool::platform::gicc, 0x0804'0000, 0x2000,
                                     PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_DEVICE | PARTITA_REGION_SHARED});
        partition.regions.push_back({"bar", 0x1010'0000 + n * 0x4000, 0x1010'0000 + n * 0x4000, 0x4000,
                                     PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_DEVICE});
        partition.masters.push_back({&functions[n], PARTITA_MASTER_PCI | (n == 0 ? PARTITA_MASTER_MSI : PARTITA_MASTER_INTX)});
        partition.copies.push_back({"kernel", tool::platform::ram, tool::Bytes(64), 0x4040'0000});
        partition.patches.push_back({tool::platform::ram + 0x100, 64, 12, 76});
        partition.routes.push_back({static_cast<std::uint32_t>(40 + n), false, "x"});
        partition.ports.push_back({0, n, n == 0 ? PARTITA_PORT_SENDS : 0, 64});
        partition.ports.push_back({1, n, n == 0 ? 0 : PARTITA_PORT_SENDS, 65});
        partition.ports.push_back({2, n, n == 0 ? PARTITA_PORT_SENDS : 0, 66});
        for (std::uint64_t part = 0; part < 2; ++part)
            partition.regions.push_back({"channel memory", 0x3000'0000 + part * 0x1000, 0x5080'0000 + part * 0x1000, 0x1000,
                                         PARTITA_REGION_READ | PARTITA_REGION_CHANNEL | (part == n ? PARTITA_REGION_WRITE : 0), 2});
        if (n == 0) {
            tool::PlannedVirtio device;
            device.interrupt = 48, device.server = 1, device.timeout_us = 1000;
            partition.virtio.push_back(device);
        } else {
            partition.flags = PARTITA_RIGHT_SERVE, partition.serves = true;
            partition.regions.push_back(
                {"memory of one", 0x8000'0000, 0x5000'0000, 0x20'0000, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_SERVED});
            partition.regions.push_back(
                {"kept", 0x9000'0000, 0x50a0'0000, 0x1000, PARTITA_REGION_READ | PARTITA_REGION_WRITE | PARTITA_REGION_KEPT});
        }
        plan.partitions.push_back(std::move(partition));
    }
    plan.channels = {{"queue", PARTITA_CHANNEL_QUEUING, 64, 16, 0, false, 0, {1}},
                     {"value", PARTITA_CHANNEL_SAMPLING, 64, 0, 1000, false, 1, {0}},
                     {"memory", PARTITA_CHANNEL_MEMORY, 0, 0, 0, false, 0, {1}}};
    const auto bytes = tool::describe_system(plan, {0x4020'0000, 0x20000}, {});
    EXPECT_TRUE(bytes);
    std::vector<std::uint64_t> out((bytes->size() + 7) / 8);
    std::memcpy(out.data(), bytes->data(), bytes->size());
    return out;
}

struct Parts {
    std::vector<std::uint64_t>& words;
    [[nodiscard]] partita_image_header& header() { return *reinterpret_cast<partita_image_header*>(words.data()); }
    template <typename Record>
    [[nodiscard]] Record* at(partita_table table) {
        return reinterpret_cast<Record*>(reinterpret_cast<std::byte*>(words.data()) + table.offset);
    }
    [[nodiscard]] partita_partition* partitions() { return at<partita_partition>(header().partitions); }
    [[nodiscard]] partita_slice* frames() { return at<partita_slice>(header().frames); }
    [[nodiscard]] partita_window* windows() { return at<partita_window>(header().windows); }
    [[nodiscard]] partita_region* regions() { return at<partita_region>(header().regions); }
    [[nodiscard]] partita_channel* channels() { return at<partita_channel>(header().channels); }
    [[nodiscard]] partita_port* ports() { return at<partita_port>(header().ports); }
    [[nodiscard]] partita_virtio* virtio() { return at<partita_virtio>(header().virtio); }
    [[nodiscard]] partita_region& served() {
        partita_region* region = regions();
        while ((region->flags & PARTITA_REGION_SERVED) == 0) ++region;
        return *region;
    }
    [[nodiscard]] partita_master* masters() { return at<partita_master>(header().masters); }
};

std::expected<ImageView, ImageError> check(std::vector<std::uint64_t>& words) {
    auto& header = *reinterpret_cast<partita_image_header*>(words.data());
    header.checksum = 0;
    header.checksum = image_checksum(std::as_bytes(std::span{words}));
    return check_image(std::as_bytes(std::span{words}));
}

TEST(ImageCheck, AcceptsWhatTheToolWrites) {
    auto words = good_image();
    const auto view = check(words);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->partitions.size(), 2u);
    EXPECT_STREQ(view->partitions[1].name, "two");
}

TEST(ImageCheck, NoticesDamage) {
    auto words = good_image();
    words[20] ^= 1;
    const auto view = check_image(std::as_bytes(std::span{words}));
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error().fault, ImageFault::checksum);
}

// Each way of being wrong is found, by its own name.
TEST(ImageCheck, FindsEachMistake) {
    const std::pair<ImageFault, std::function<void(Parts&)>> mistakes[] = {
        {ImageFault::not_an_image, [](Parts& p) { p.header().magic = 1; }},
        {ImageFault::wrong_version, [](Parts& p) { p.header().version = 99; }},
        {ImageFault::too_short, [](Parts& p) { p.header().size += 8; }},
        {ImageFault::table_outside, [](Parts& p) { p.header().regions.count = 0x1000'0000; }},
        {ImageFault::table_outside, [](Parts& p) { p.header().copies.offset = 0xffff'fff8; }},
        {ImageFault::misaligned, [](Parts& p) { p.header().pool_base += 0x1000; }},
        {ImageFault::misaligned, [](Parts& p) { p.header().hypervisor_end += 0x40'0000; }},
        {ImageFault::too_many, [](Parts& p) { p.header().cpus.count = 0; }},
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[1].regions.first = 0; }},
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[1].vcpus.count = 0x4000'0000; }},
        {ImageFault::bad_reference, [](Parts& p) { p.at<partita_vcpu>(p.header().vcpus)[1].cpu = 7; }},
        {ImageFault::bad_reference, [](Parts& p) { p.header().board.uart_cpu = 2; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].flags |= PARTITA_PMU, p.header().board.pmu_interrupt = 27; }},
        {ImageFault::bad_reference,
         [](Parts& p) {
             p.partitions()[0].flags |= PARTITA_PMU, p.header().board.pmu_interrupt = 23;
             p.at<partita_vcpu>(p.header().vcpus)[1].cpu = p.at<partita_vcpu>(p.header().vcpus)[0].cpu;
         }},
        {ImageFault::bad_name, [](Parts& p) { std::memset(p.partitions()[0].name, 'x', PARTITA_NAME_SIZE); }},
        {ImageFault::misaligned, [](Parts& p) { p.regions()[0].ipa += 0x100; }},
        {ImageFault::misaligned, [](Parts& p) { p.regions()[0].size = 0; }},
        {ImageFault::misaligned, [](Parts& p) { p.regions()[0].ipa = 0xfff0'0000; }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[5].pa = p.regions()[0].pa; }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[0].pa = p.header().hypervisor_base; }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[0].pa = 0x0900'0000 - 0x10'0000; }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[1].pa = 0x0803'0000; }},
        {ImageFault::overlap,
         [](Parts& p) {  // GICC_DIR, given away as a device
             p.regions()[1].pa = p.header().board.gicc + kPageSize;
             p.regions()[1].flags &= ~PARTITA_REGION_SHARED;
             p.regions()[1].size = kPageSize;
         }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[1].ipa = p.regions()[0].ipa; }},
        {ImageFault::overlap, [](Parts& p) { p.at<partita_copy>(p.header().copies)[0].source = p.regions()[5].pa; }},
        {ImageFault::outside_region, [](Parts& p) { p.at<partita_copy>(p.header().copies)[0].ipa = 0x4020'0000 - 8; }},
        {ImageFault::outside_region, [](Parts& p) { p.at<partita_copy>(p.header().copies)[0].size = ~std::uint64_t{0}; }},
        {ImageFault::outside_region, [](Parts& p) { p.at<partita_patch>(p.header().patches)[0].ipa = 0x0801'0000; }},
        {ImageFault::outside_region, [](Parts& p) { p.at<partita_patch>(p.header().patches)[0].nop_before = 0x1000; }},
        {ImageFault::outside_region, [](Parts& p) { p.partitions()[0].entry = 0x1000; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.at<partita_route>(p.header().interrupts)[1].intid = 40; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.at<partita_route>(p.header().interrupts)[0].intid = 27; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.at<partita_route>(p.header().interrupts)[0].intid = 33; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].interrupts = 33; }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[2].pa = 0x0906'0000; }},  // the System MMU's queues
        {ImageFault::bad_interrupt, [](Parts& p) { p.header().board.smmu_interrupt = 40; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].kind = 0; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].kind = 5; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].kind = PARTITA_CHANNEL_MEMORY; }},     // with messages
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[2].kind = PARTITA_CHANNEL_DOORBELL; }},  // with memory
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[3].flags |= PARTITA_REGION_EXECUTE; }},
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[3].flags |= PARTITA_REGION_DEVICE; }},
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[3].flags &= ~PARTITA_REGION_READ; }},
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[3].flags &= ~PARTITA_REGION_WRITE; }},  // nobody writes
        {ImageFault::overlap, [](Parts& p) { p.regions()[3].flags |= PARTITA_REGION_UNCACHED; }},  // cached by the other
        {ImageFault::overlap, [](Parts& p) { p.regions()[3].size = 0x2000; }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[3].flags &= ~PARTITA_REGION_CHANNEL; p.regions()[3].channel = 0; }},
        {ImageFault::overlap, [](Parts& p) { p.regions()[3].channel = 1; }},
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[3].channel = p.regions()[8].channel = 0; }},  // a queue's
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[3].channel = p.regions()[8].channel = 3; }},
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[3].pa = 0x5090'0000; }},                  // one end sees it alone
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[4].pa = p.regions()[3].pa; }},            // one end sees it twice
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[0].channel = 2; }},
        {ImageFault::bad_channel, [](Parts& p) { p.regions()[0].flags |= PARTITA_REGION_UNCACHED; }},
        {ImageFault::outside_region, [](Parts& p) { p.at<partita_copy>(p.header().copies)[0].ipa = 0x3000'0000; }},
        {ImageFault::outside_region, [](Parts& p) { p.partitions()[0].entry = 0x3000'0000; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].kind = PARTITA_CHANNEL_DOORBELL; }},  // with messages
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].message_size = 0; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].message_size = PARTITA_LONGEST_MESSAGE + 1; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].depth = 0; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].depth = PARTITA_DEEPEST_QUEUE + 1; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[0].message_size = 4096, p.channels()[0].depth = 1024; }},  // no room
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[1].depth = 1; }},
        {ImageFault::bad_channel, [](Parts& p) { p.channels()[1].time_us = PARTITA_LONGEST_TIME_US + 1; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].gpio_interrupt = 33; }},  // the console's
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].gpio_interrupt = 40; }},  // a device's
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].gpio_interrupt = 96; }},
        {ImageFault::bad_channel, [](Parts& p) { p.partitions()[0].gpio_interrupt = 64; }},    // a port's
        {ImageFault::bad_slot, [](Parts& p) { p.partitions()[0].traps[p.partitions()[0].traps[0].page == PARTITA_NO_PAGE ? 1 : 0].device = PARTITA_DEVICE_PL061; }},
        {ImageFault::bad_slot, [](Parts& p) { p.partitions()[0].traps[p.partitions()[0].traps[0].page == PARTITA_NO_PAGE ? 1 : 0].device = PARTITA_DEVICE_CONTROL; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].control_interrupt = 50; }},  // without the log's news
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].events_interrupt = 51; }},   // ... and they without it
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].control_interrupt = p.partitions()[0].events_interrupt = 50, p.partitions()[0].flags |= PARTITA_RIGHT_MANAGE; }},
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[0].control_interrupt = 50, p.partitions()[0].events_interrupt = 51; }},  // it has no right
        {ImageFault::bad_reference, [](Parts& p) {
             for (auto& partition : std::span{p.partitions(), 2})
                 partition.control_interrupt = 50, partition.events_interrupt = 51, partition.flags |= PARTITA_RIGHT_MANAGE;
         }},  // two parents
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].flags = 0; }},                  // nobody sends
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[3].flags = PARTITA_PORT_SENDS; }},  // nobody receives
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].flags |= 4; }},
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].channel = 3; }},
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[1].channel = 0; }},  // two ends of one partition
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].interrupt = 31; }},
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].interrupt = 96; }},
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].interrupt = 33; }},  // the console's
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].interrupt = 40; }},  // a device's
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[1].interrupt = 64; }},  // the other port's
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[0].ports.count = 1; }},
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[0].virtio.count = 0; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].slot = PARTITA_VIRTIO_SLOTS; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].version = 3; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].timeout_us = 0; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].timeout_us = PARTITA_LONGEST_TIME_US + 1; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].interrupt = 31; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].interrupt = 96; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].interrupt = 33; }},   // the console's
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].interrupt = 40; }},   // a device's
        {ImageFault::bad_channel, [](Parts& p) { p.virtio()[0].interrupt = 64; }},  // a port's
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].server = 0; }},       // itself
        {ImageFault::bad_virtio, [](Parts& p) { p.virtio()[0].server = 2; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.partitions()[1].flags &= ~PARTITA_RIGHT_SERVE; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.partitions()[1].serve_interrupt = 0; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[1].serve_interrupt = 33; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.served().flags |= PARTITA_REGION_EXECUTE; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.served().flags |= PARTITA_REGION_KEPT; }},
        {ImageFault::bad_virtio, [](Parts& p) { p.served().pa += 0x100'0000; }},  // nobody's memory
        {ImageFault::overlap, [](Parts& p) { p.served().size -= 0x1000; }},       // a part of it
        {ImageFault::overlap, [](Parts& p) { p.served().flags &= ~PARTITA_REGION_SERVED; }},
        {ImageFault::bad_slot, [](Parts& p) { p.partitions()[1].traps[p.partitions()[1].traps[0].page == PARTITA_NO_PAGE ? 1 : 0].device = PARTITA_DEVICE_VIRTIO; }},
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[3].owner = 0; }},  // its own end, twice
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[3].owner = 7; }},
        {ImageFault::bad_channel, [](Parts& p) { p.ports()[0].owner = 1; }},  // whose devices it does not serve
        {ImageFault::bad_master, [](Parts& p) { p.header().board.smmu = 0; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].stream = p.masters()[0].stream; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].stream = PARTITA_MAX_STREAMS; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].function = p.masters()[0].function; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].function = 256; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].config = p.masters()[0].config; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].config = p.regions()[0].pa; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].flags |= PARTITA_MASTER_MSI; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].flags |= 0x80; }},
        {ImageFault::bad_master, [](Parts& p) { p.masters()[1].bars[0] = p.masters()[0].bars[0]; }},      // the other's registers
        {ImageFault::bad_master, [](Parts& p) { p.masters()[0].bars[0] += 0x2000; }},                     // not aligned
        {ImageFault::bad_master, [](Parts& p) { p.masters()[0].bar_masks[0] = 0xfffe'8004; }},            // no power of two
        {ImageFault::bad_master, [](Parts& p) { p.masters()[0].bar_masks[0] = 4; }},                      // all there is
        {ImageFault::bad_master, [](Parts& p) { p.masters()[0].bars[1] = 1; }},                           // beyond 4 GiB
        {ImageFault::bad_master, [](Parts& p) { p.masters()[0].bars[2] = 0x1010'0001; }},                 // I/O ports
        {ImageFault::bad_master, [](Parts& p) { p.header().board.pci_io_size = 0x10'1000; }},             // where the bridge does not reach
        {ImageFault::bad_master, [](Parts& p) { p.regions()[2].flags &= ~PARTITA_REGION_DEVICE; }},       // scrubbed like memory
        {ImageFault::bad_master, [](Parts& p) { p.regions()[0].ipa = PARTITA_PCI_CONFIG - 0x10'0000; p.partitions()[0].entry = PARTITA_PCI_CONFIG - 0x10'0000; p.at<partita_copy>(p.header().copies)[0].ipa = PARTITA_PCI_CONFIG - 0x10'0000; p.at<partita_patch>(p.header().patches)[0].ipa = PARTITA_PCI_CONFIG - 0xf'0000; }},
        {ImageFault::bad_slot, [](Parts& p) { p.partitions()[0].trap_multiplier = 0; }},
        {ImageFault::bad_slot, [](Parts& p) { p.partitions()[0].clock_interrupt = 0; }},
        {ImageFault::bad_interrupt,
         [](Parts& p) { p.partitions()[0].watchdog_ms = 1, p.partitions()[0].watchdog_interrupt = p.partitions()[0].console_interrupt; }},
        {ImageFault::bad_interrupt, [](Parts& p) { p.partitions()[0].watchdog_ms = 1, p.partitions()[0].watchdog_interrupt = 7; }},
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[0].watchdog_interrupt = 50; }},  // without a time
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[0].restart_limit = 1; }},        // ... without a period
        {ImageFault::outside_region, [](Parts& p) { p.at<partita_patch>(p.header().patches)[0].kind = PARTITA_PATCH_STARTS; }},
        {ImageFault::outside_region, [](Parts& p) { p.at<partita_patch>(p.header().patches)[0].kind = 0; }},
        {ImageFault::bad_reference, [](Parts& p) { p.partitions()[0].vcpus.count = 0; }},
        {ImageFault::bad_schedule, [](Parts& p) { p.partitions()[0].budget_us = 2, p.partitions()[0].period_us = 1; }},
        {ImageFault::bad_schedule, [](Parts& p) { p.partitions()[0].budget_us = 1, p.partitions()[0].period_us = ~0u; }},
        {ImageFault::bad_schedule, [](Parts& p) { p.at<partita_cpu>(p.header().cpus)[0].slice_us = ~0u; }},
        {ImageFault::bad_schedule, [](Parts& p) { p.windows()[0].length_us = 0; }},
        {ImageFault::bad_schedule, [](Parts& p) { p.windows()[1].length_us = ~0u; }},
        {ImageFault::bad_schedule, [](Parts& p) { p.windows()[1].partitions = 4; }},
        {ImageFault::bad_schedule,
         [](Parts& p) { p.frames()[0].count = p.frames()[1].first = 0, p.frames()[1].count = 2; }},  // lengths differ from CPU to CPU
        {ImageFault::bad_reference, [](Parts& p) { p.frames()[2].count = 2; }},
        {ImageFault::bad_reference, [](Parts& p) { p.frames()[0].first = 1; }},
        {ImageFault::bad_reference, [](Parts& p) { p.header().frames.count = 2; }},  // a window is nobody's
        {ImageFault::too_many, [](Parts& p) { p.header().frames.count = 3; }},
    };
    for (std::size_t n = 0; n < std::size(mistakes); ++n) {
        auto words = good_image();
        Parts parts{words};
        mistakes[n].second(parts);
        const auto view = check(words);
        ASSERT_FALSE(view) << "mistake " << n;
        EXPECT_EQ(view.error().fault, mistakes[n].first) << "mistake " << n << ": " << describe(view.error().fault);
    }
}

// Memory that two partitions may both see.
bool is_one_channels(const ImageView& view, const partita_region& a, const partita_region& b) {
    constexpr std::uint32_t never = PARTITA_REGION_EXECUTE | PARTITA_REGION_DEVICE;
    return (a.flags & b.flags & PARTITA_REGION_CHANNEL) != 0 && ((a.flags | b.flags) & never) == 0 && a.channel == b.channel &&
           a.pa == b.pa && a.size == b.size && view.channels[a.channel].kind == PARTITA_CHANNEL_MEMORY;
}

// Memory of a partition as the server of its virtio device sees it.
bool is_served_memory(const ImageView& view, const partita_region& a, const partita_region& b) {
    if (((a.flags ^ b.flags) & PARTITA_REGION_SERVED) == 0 || a.pa != b.pa || a.size != b.size) return false;
    const auto owner_of = [&](const partita_region& region) {
        const auto n = static_cast<std::size_t>(&region - view.regions.data());
        std::size_t owner = 0;
        while (n - view.partitions[owner].regions.first >= view.partitions[owner].regions.count) ++owner;
        return owner;
    };
    const bool a_serves = (a.flags & PARTITA_REGION_SERVED) != 0;
    const std::size_t server = owner_of(a_serves ? a : b), client = owner_of(a_serves ? b : a);
    for (const partita_virtio& device : view.virtio.subspan(view.partitions[client].virtio.first, view.partitions[client].virtio.count))
        if (device.server == server && ((a_serves ? a : b).flags & PARTITA_REGION_EXECUTE) == 0) return true;
    return false;
}

// Whatever is in it, the checker gives an answer; and what it accepts keeps the owners apart.
TEST(ImageCheck, IsTotal) {
    const auto good = good_image();
    Random random{3};
    unsigned accepted = 0;
    for (int n = 0; n < 100'000; ++n) {
        auto words = good;
        for (unsigned times = random() % 3 + 1; times != 0; --times)
            words[random() % words.size()] = random() % 4 == 0 ? random() : words[random() % words.size()];
        const auto view = check(words);
        if (!view) continue;
        ++accepted;
        for (const auto& a : view->regions)
            for (const auto& b : view->regions)
                if (&a != &b && (a.flags & b.flags & PARTITA_REGION_SHARED) == 0 && !is_one_channels(*view, a, b) &&
                    !is_served_memory(*view, a, b))
                    ASSERT_FALSE((PhysRange{PhysAddr{a.pa}, a.size}.overlaps({PhysAddr{b.pa}, b.size})));
    }
    EXPECT_GT(accepted, 100u);
}

TEST(ImageCheck, EveryFaultHasWordsOfItsOwn) {
    std::set<std::string> words;
    constexpr auto last = static_cast<unsigned>(ImageFault::bad_schedule);
    for (unsigned n = 0; n <= last; ++n) words.insert(describe(static_cast<ImageFault>(n)));
    EXPECT_EQ(words.size(), last + 1);
    EXPECT_FALSE(words.contains("unknown"));
}

}  // namespace
}  // namespace partita
