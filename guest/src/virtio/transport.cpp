#include "partita/guest/virtio/transport.hpp"

namespace partita::virtio {

using std::uint32_t;
using std::uint64_t;

namespace {

// §4.2.2, §4.2.4.
enum Register : uint32_t {
    DeviceID = 0x008,
    VendorID = 0x00c,
    DeviceFeatures = 0x010,
    DeviceFeaturesSel = 0x014,
    DriverFeatures = 0x020,
    DriverFeaturesSel = 0x024,
    GuestPageSize = 0x028,
    QueueSel = 0x030,
    QueueNumMax = 0x034,
    QueueNum = 0x038,
    QueueAlign = 0x03c,
    QueuePFN = 0x040,
    QueueReady = 0x044,
    Status = 0x070,
    QueueDescLow = 0x080,
    QueueDescHigh = 0x084,
    QueueDriverLow = 0x090,
    QueueDriverHigh = 0x094,
    QueueDeviceLow = 0x0a0,
    QueueDeviceHigh = 0x0a4,
    SHMLenLow = 0x0b0,
    SHMLenHigh = 0x0b4,
    Config = 0x100,
};
constexpr uint32_t vendor = 0x54524150;  // "PART"

void put_low(uint64_t &value, uint32_t half) { value = (value & ~uint64_t{0xffff'ffff}) | half; }
void put_high(uint64_t &value, uint32_t half) { value = (value & 0xffff'ffff) | uint64_t{half} << 32; }

[[nodiscard]] constexpr bool power_of_two(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace

// A driver of version 1 is not told of features beyond the first word.
uint64_t Transport::offered() const {
    const uint64_t features = device_.features() | feature_indirect | feature_event_index;
    if (legacy()) return features & 0xffff'ffff;
    return features | feature_version_1 | (memory_.is_pool() ? feature_access_platform : 0);
}

uint32_t Transport::read(uint32_t offset, uint32_t size) const {
    if (offset < Config) return size == 4 && offset % 4 == 0 ? read_register(offset) : 0;
    uint32_t value = 0;
    for (uint32_t n = 0; n < size && n < 4; ++n) value |= uint32_t{device_.configuration(offset - Config + n)} << n * 8;
    return value;
}

uint32_t Transport::read_register(uint32_t offset) const {
    const auto half = [](uint64_t value, uint32_t select) { return select < 2 ? static_cast<uint32_t>(value >> select * 32) : 0; };
    const QueueState *const queue = entries() != 0 ? &state_.queues[state_.queue_select] : nullptr;
    switch (offset) {
        case DeviceID: return device_.id();
        case VendorID: return vendor;
        case DeviceFeatures: return half(offered(), state_.device_features_select);
        case QueueNumMax: return entries();
        case QueuePFN: return legacy() && queue != nullptr ? queue->page : 0;
        case QueueReady: return !legacy() && queue != nullptr ? queue->ready : 0;
        case Status: return state_.status;
        case SHMLenLow:
        case SHMLenHigh: return legacy() ? 0 : ~0u;  // there is no shared memory
        default: return 0;                           // ConfigGeneration, too: the configuration never changes
    }
}

void Transport::write(uint32_t offset, uint32_t size, uint32_t value) {
    if (offset < Config && size == 4 && offset % 4 == 0) write_register(offset, value);
}

bool Transport::takes_back(uint32_t offset, uint32_t size, uint32_t value) const {
    return size == 4 && value == 0 && (offset == Status || offset == (legacy() ? QueuePFN : QueueReady));
}

void Transport::write_register(uint32_t offset, uint32_t value) {
    switch (offset) {
        case DeviceFeaturesSel: state_.device_features_select = value; return;
        case DriverFeatures: return write_features(value);
        case DriverFeaturesSel: state_.driver_features_select = value; return;
        case QueueSel: state_.queue_select = value; return;
        case Status: return write_status(value);
        case GuestPageSize:
            if (legacy()) state_.page_size = value;
            return;
        default: return legacy() ? write_legacy_queue(offset, value) : write_queue(offset, value);
    }
}

void Transport::write_features(uint32_t value) {
    if ((state_.status & status_features_ok) != 0 && !legacy()) return;
    if (state_.driver_features_select == 0) put_low(state_.driver_features, value);
    if (state_.driver_features_select == 1 && !legacy()) put_high(state_.driver_features, value);
    if (legacy()) state_.driver_features &= offered();
}

// Bits are set one after another, and only a reset clears them (§2.1.1). Features that were not offered are refused by FEATURES_OK.
void Transport::write_status(uint32_t value) {
    if (value == 0) return reset();
    const uint32_t before = state_.status;
    if ((value & status_features_ok) != 0 && !legacy()) {
        const bool good = (state_.driver_features & ~offered()) == 0 && has(feature_version_1);
        if (!good) value &= ~status_features_ok;
    }
    state_.status = before | (value & 0xffu & ~status_needs_reset);
}

QueueState *Transport::selected() { return entries() != 0 ? &state_.queues[state_.queue_select] : nullptr; }

// While a queue is ready its addresses stay.
void Transport::write_queue(uint32_t offset, uint32_t value) {
    QueueState *const queue = selected();
    if (queue == nullptr || (queue->ready != 0 && offset != QueueReady)) return;
    switch (offset) {
        case QueueNum:
            if (power_of_two(value) && value <= entries()) queue->size = value;
            return;
        case QueueReady:
            if (value == 1 && queue->ready == 0 && queue->size != 0) queue->ready = 1;
            if (value == 0) *queue = QueueState{};
            return;
        case QueueDescLow: return put_low(queue->descriptors, value);
        case QueueDescHigh: return put_high(queue->descriptors, value);
        case QueueDriverLow: return put_low(queue->available, value);
        case QueueDriverHigh: return put_high(queue->available, value);
        case QueueDeviceLow: return put_low(queue->used, value);
        case QueueDeviceHigh: return put_high(queue->used, value);
        default: return;
    }
}

// The three parts follow each other in memory, the last on a boundary of its own (§2.7.2).
void Transport::write_legacy_queue(uint32_t offset, uint32_t value) {
    QueueState *const queue = selected();
    if (queue == nullptr) return;
    switch (offset) {
        case QueueNum:
            if (queue->ready == 0 && power_of_two(value) && value <= entries()) queue->size = value;
            return;
        case QueueAlign:
            if (queue->ready == 0 && power_of_two(value)) queue->align = value;
            return;
        case QueuePFN: break;
        default: return;
    }
    if (value == 0) *queue = QueueState{};
    if (value == 0 || queue->ready != 0 || queue->size == 0 || queue->align == 0) return;
    queue->page = value;
    queue->descriptors = uint64_t{value} * state_.page_size;
    queue->available = queue->descriptors + uint64_t{queue->size} * 16;
    const uint64_t end = queue->available + 6 + uint64_t{queue->size} * 2;
    queue->used = (end + queue->align - 1) & ~uint64_t{queue->align - 1};
    queue->ready = 1;
}

// A driver of version 1 says how large its pages are once, before it resets the device.
void Transport::reset() {
    const uint32_t page_size = state_.page_size;
    state_ = TransportState{};
    state_.page_size = page_size;
    device_.reset();
}

Broken Transport::find_broken(uint32_t &queue) {
    for (queue = 0; queue < queues_; ++queue) {
        QueueState &state = state_.queues[queue];
        if (state.broken == 0) continue;
        state_.status |= status_needs_reset;
        return static_cast<Broken>(state.broken);
    }
    return Broken::no;
}

}  // namespace partita::virtio
