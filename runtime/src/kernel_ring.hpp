// KernelRing: a RingDevice of the kernel's, by liburing. Tries what was asked and takes what there is.
#pragma once

#include <memory>

#include <outcry/runtime/io_options.hpp>
#include <outcry/runtime/ring_device.hpp>

namespace outcry {

/// `one_thread`: only the calling thread will use it. Null: the kernel gives none; errno says why.
std::unique_ptr<RingDevice> make_kernel_ring(const IoOptions& options, bool one_thread);

}  // namespace outcry
