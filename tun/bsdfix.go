package tun

// bsdFix says what makes TUN devices available on a BSD (runtime.GOOS) where creating one failed.
func bsdFix(goos string, reason error) string {
	const orNetstack = `, or set device = "netstack", which needs no privilege and no device`
	switch reason {
	case ErrPermission:
		return "run as root" + orNetstack
	case ErrNameTaken:
		if goos == "darwin" {
			return `set name = "utun" to get the next free number`
		}
		return "choose another name, or stop who uses it"
	case ErrNoTUN:
		switch goos {
		case "freebsd":
			return "load the driver: kldload if_tuntap" + orNetstack
		case "openbsd":
			return "make the device node: cd /dev && sh MAKEDEV tun0" + orNetstack
		}
	}
	return "look at the system's error" + orNetstack
}
