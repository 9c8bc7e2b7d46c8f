package tun

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

func TestDeviceErrorText(t *testing.T) {
	cause := &os.PathError{Op: "open", Path: "/dev/net/tun", Err: syscall.ENOENT}
	err := error(&DeviceError{Op: "create", Name: "ipsec0", Reason: ErrNoTUN, Detail: "none", Fix: "modprobe tun", Err: cause})
	const want = `cannot create TUN device "ipsec0": this system has no TUN device: none (open /dev/net/tun: no such file or directory); fix: modprobe tun`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if !errors.Is(err, ErrNoTUN) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrPermission) {
		t.Error("does not unwrap to its reason and its cause alone")
	}
	err = &DeviceError{Op: "create", Name: "x", Reason: ErrBadName, Fix: "another"}
	if got := err.Error(); got != `cannot create TUN device "x": not a possible device name; fix: another` {
		t.Errorf("got %s", got)
	}
}

func TestLinkErrorText(t *testing.T) {
	err := error(&LinkError{Op: "add route", Object: "10.0.0.0/8", Device: "ipsec0", Err: syscall.ENETDOWN, Fix: "bring it up"})
	if got := err.Error(); got != "add route 10.0.0.0/8 (device ipsec0): network is down; fix: bring it up" {
		t.Errorf("got %s", got)
	}
	if !errors.Is(err, syscall.ENETDOWN) {
		t.Error("does not unwrap")
	}
	if got := (&LinkError{Op: "set up", Err: ErrSystem}).Error(); got != "set up: the system refused" {
		t.Errorf("got %s", got)
	}
}

func TestReasonOf(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{syscall.EPERM, ErrPermission}, {&os.PathError{Err: syscall.EACCES}, ErrPermission},
		{syscall.ENOENT, ErrNoTUN}, {syscall.ENXIO, ErrNoTUN}, {syscall.ENODEV, ErrNoTUN},
		{syscall.EBUSY, ErrNameTaken}, {syscall.EEXIST, ErrNameTaken},
		{syscall.EINVAL, ErrSystem}, {errors.New("else"), ErrSystem},
	} {
		if got := reasonOf(c.err); got != c.want {
			t.Errorf("reasonOf(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}

func TestBSDFixAlwaysSaysSomething(t *testing.T) {
	for _, goos := range []string{"darwin", "freebsd", "openbsd"} {
		seen := map[string]error{}
		for _, reason := range []error{ErrPermission, ErrNameTaken, ErrNoTUN, ErrSystem} {
			fix := bsdFix(goos, reason)
			if fix == "" {
				t.Errorf("%s: no fix for %v", goos, reason)
			}
			if old, ok := seen[fix]; ok && goos != "darwin" {
				t.Errorf("%s: %v and %v have the same fix", goos, old, reason)
			}
			seen[fix] = reason
		}
	}
}
