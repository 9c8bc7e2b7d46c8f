package hooks

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

// Listen opens the socket of events at path. Its mode is 0600, or 0660 for a group. A socket on which nobody answers is replaced; anything
// else that is there stays, and is an error. Closing the listener removes the socket.
func Listen(path, group string) (net.Listener, error) {
	mode, gid := os.FileMode(0o600), -1
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return nil, fmt.Errorf("events.group: %w", err)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return nil, fmt.Errorf("events.group: %w", err)
		}
		mode = 0o660
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("events.socket: %w", err)
	case info.Mode()&os.ModeSocket == 0:
		return nil, fmt.Errorf("events.socket: %s exists and is no socket; remove it, or name another path", path)
	default:
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			c.Close()
			return nil, fmt.Errorf("events.socket: another daemon answers on %s; stop it, or name another path", path)
		}
	}
	l, err := bindPrivately(path, mode, gid)
	if err != nil {
		return nil, fmt.Errorf("events.socket: %w", err)
	}
	return l, nil
}

// bindPrivately binds the socket where nobody else gets to, and moves it to its place when its owner and mode are right: a socket gets its
// mode from the umask when it is bound.
func bindPrivately(path string, mode os.FileMode, gid int) (net.Listener, error) {
	private, err := os.MkdirTemp(filepath.Dir(path), ".e")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	tmp := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: tmp, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it will have another name
	if gid >= 0 {
		err = os.Chown(tmp, -1, gid)
	}
	if err == nil {
		err = os.Chmod(tmp, mode)
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, err
	}
	return &listener{l, path, info}, nil
}

// listener removes its socket when it is closed, unless another has taken the place since.
type listener struct {
	*net.UnixListener
	path string
	info os.FileInfo
}

// Close implements net.Listener.
func (l *listener) Close() error {
	err := l.UnixListener.Close()
	if now, failed := os.Lstat(l.path); failed == nil && os.SameFile(now, l.info) {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}
