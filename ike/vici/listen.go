package vici

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxSocketPath is the longest path of a unix socket on all systems: sun_path of the BSDs has 104 octets with its NUL.
const maxSocketPath = 103

// privateLen is what the name under which the socket is bound adds to that of its directory: "/.v" with the ten digits of
// os.MkdirTemp, and "/s".
const privateLen = 15

// staleProbe is how long a socket that is already there is given to accept a connection.
const staleProbe = time.Second

// NoGroup has the control socket be the daemon's user's alone.
const NoGroup = -1

// Listen opens the control socket at path for the user of the daemon alone; see [ListenFor].
func Listen(path string) (net.Listener, error) { return ListenFor(path, NoGroup) }

// ListenFor opens the control socket at path, with mode 0600, or with mode 0660 for a group of which the number is given: whoever may
// connect controls the daemon. Missing directories are made. A socket that a dead daemon left behind is replaced; one on which
// somebody answers, or a file of another kind, is an error and stays. Closing the listener removes the socket.
func ListenFor(path string, group int) (net.Listener, error) {
	dir := filepath.Dir(path)
	if n := max(len(path), len(dir)+privateLen); n > maxSocketPath {
		return nil, fmt.Errorf("vici: the path of the control socket needs %d octets, at most %d are possible: %s",
			n, maxSocketPath, path)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("vici: control socket: %w", err)
	}
	if err := checkStale(path); err != nil {
		return nil, err
	}
	// A socket gets its mode from the umask when it is bound, and chmod comes later. It is therefore bound in a
	// directory that nobody else can enter, and moved to its place when its mode is right.
	private, err := os.MkdirTemp(dir, ".v")
	if err != nil {
		return nil, fmt.Errorf("vici: control socket: %w", err)
	}
	defer os.RemoveAll(private)
	tmp := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: tmp, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("vici: control socket: %w", err)
	}
	l.SetUnlinkOnClose(false) // it will have another name
	mode := os.FileMode(0o600)
	if group != NoGroup {
		mode, err = 0o660, os.Chown(tmp, -1, group)
	}
	if err == nil {
		err = os.Chmod(tmp, mode)
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	var info os.FileInfo
	if err == nil {
		info, err = os.Lstat(path)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("vici: control socket: %w", err)
	}
	return &listener{UnixListener: l, path: path, info: info}, nil
}

// checkStale returns an error if what is at path must not be replaced.
func checkStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("vici: control socket: %w", err)
	}
	if info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("vici: %s exists and is no socket; remove it, or set another control.socket", path)
	}
	c, err := net.DialTimeout("unix", path, staleProbe)
	if err == nil {
		c.Close()
		return fmt.Errorf("vici: another daemon answers on %s; stop it, or set another control.socket", path)
	}
	return nil
}

// listener removes its socket when it is closed, unless another has taken the place since.
type listener struct {
	*net.UnixListener
	path string
	info os.FileInfo
	once sync.Once
}

// Close implements net.Listener.
func (l *listener) Close() error {
	err := l.UnixListener.Close()
	l.once.Do(func() {
		if now, statErr := os.Lstat(l.path); statErr == nil && os.SameFile(now, l.info) {
			err = errors.Join(err, os.Remove(l.path))
		}
	})
	return err
}
