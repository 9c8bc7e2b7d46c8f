package dataplane

import "esplanade/tun"

// watchDevice follows the MTU of the device by its events, until the device is closed.
func (e *Engine) watchDevice(d tun.Device) {
	for {
		select {
		case ev, ok := <-d.Events():
			if !ok {
				return
			}
			if ev&tun.EventMTUUpdate == 0 {
				continue
			}
			mtu, err := d.MTU()
			if err != nil || mtu <= 0 {
				continue
			}
			if e.deviceMTU.Swap(int32(mtu)) != int32(mtu) {
				e.log.Info("the MTU of the device has changed", "mtu", mtu)
			}
		case <-e.done:
			return
		}
	}
}

// deviceMTU is the device's MTU, or a usual one if it can't be told.
func deviceMTU(d tun.Device) int {
	if mtu, err := d.MTU(); err == nil && mtu > 0 {
		return mtu
	}
	return DefaultPathMTU
}
