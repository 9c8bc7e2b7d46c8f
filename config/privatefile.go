package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files with keys, and what is written into them. Every check is made on the open file: what the name stands for may have changed
// since a look at it. Nothing here waits for a pipe's other end.

// FileError says what is wrong with a file, and what would be right.
type FileError struct{ What, Want string }

// Error implements error.
func (e *FileError) Error() string { return e.What + "; " + e.Want }

// OpenRegular opens a regular file for reading, without waiting. fifo, device and socket are refused: they may never answer, and
// can't be read a second time.
func OpenRegular(name string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &FileError{fmt.Sprintf("%s is %s, not a regular file", quote(name), kindOfFile(info.Mode())), "write the name of a file"}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// kindOfFile is what a file is that is no regular one.
func kindOfFile(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// ReadPrivate reads a file with a key of at most so many bytes, which nobody else may be able to use: its owner is root or the user
// that the process runs as, and others have no access. There is one exception, which is how a service that is not root gets at a
// file that root has written, and what a Secret of Kubernetes with an fsGroup is: a group that the process belongs to may read a
// file of root's, and so may the process's user by an access control list, which is how systemd hands over a credential. A symbolic link is followed, since that is how Kubernetes gives a Secret another content.
func ReadPrivate(name string, most int64) ([]byte, error) {
	f, info, err := OpenRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkPrivate(name, f, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) != min(info.Size(), most+1):
		// Those of /proc say that they are empty, those of /sys that they are a page long.
		return nil, &FileError{fmt.Sprintf("%s says that it has %d bytes, and has others", quote(name), info.Size()),
			"write the name of a file that the key was written into, not of one that the system makes up; if it was being written, try again"}
	case int64(len(data)) > most:
		return nil, &FileError{quote(name) + " is too large", fmt.Sprintf("at most %d bytes are read", most)}
	}
	return data, nil
}

// replaceable names a directory in which everybody can put another file in the place of the one that was named, "" if there is none.
// In a sticky directory, such as /tmp, they can't.
func replaceable(name string) string {
	if !hasPermissions {
		return ""
	}
	dirs := []string{filepath.Dir(name)}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		dirs = append(dirs, filepath.Dir(target))
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return dir
		}
	}
	return ""
}

// checkPrivate is the rule of ReadPrivate.
func checkPrivate(name string, f *os.File, info fs.FileInfo) error {
	if !hasPermissions {
		return nil
	}
	uid, gid, ok := owner(info)
	if ok && uid != 0 && uid != os.Geteuid() {
		fix := fmt.Sprintf("chown %d %s", os.Geteuid(), name)
		if os.Geteuid() == 0 {
			fix += fmt.Sprintf("; if it is the user that the service runs as, leave it so, and check as that user: esplanade check --user %d", uid)
		}
		return &FileError{fmt.Sprintf("%s belongs to another user (id %d), who can change it", quote(name), uid), advice(name, fix)}
	}
	m := info.Mode().Perm()
	if m&0o077 == 0 || m&0o037 == 0 && ok && uid == 0 && (forGroup(gid) || aclForUs(f)) {
		return nil
	}
	fix := fmt.Sprintf("chmod 600 %s", name)
	if ok && uid != os.Geteuid() {
		fix = fmt.Sprintf("chown %d %s, and chmod 600", os.Geteuid(), name)
	}
	return &FileError{fmt.Sprintf("%s can be used by others than its owner (mode %04o)", quote(name), m), advice(name, fix)}
}

// forGroup reports whether a group is one that root's files are given to for this process: it belongs to it, and it is not just
// the primary group of root.
func forGroup(gid int) bool {
	if gid == os.Getegid() {
		return os.Geteuid() != 0
	}
	groups, err := os.Getgroups()
	return err == nil && slices.Contains(groups, gid)
}

// advice is what to do about a file. One that is mounted from a Secret of Kubernetes can't be changed where it is.
func advice(name, fix string) string {
	if target, err := filepath.EvalSymlinks(name); err == nil && strings.Contains(target, "/..") {
		return "give the volume of the Secret defaultMode: 0400, and the pod an fsGroup if the container's user is not root"
	}
	return fix
}

// OpenPrivateAppend opens a file for keys to be written to its end, and makes it if there is none. One that is there must be the
// process's own, closed to all others, and nothing but the one file that the name says.
func OpenPrivateAppend(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND|nonblock|nofollow, 0o600)
	if err != nil {
		if isLink(err) {
			err = &FileError{quote(name) + " is a symbolic link", "remove it"}
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkOwn(name, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func checkOwn(name string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return &FileError{fmt.Sprintf("%s is %s, not a regular file", quote(name), kindOfFile(info.Mode())), "remove it"}
	}
	if !hasPermissions {
		return nil
	}
	if uid, _, ok := owner(info); ok && uid != os.Geteuid() {
		return &FileError{fmt.Sprintf("%s belongs to another user (id %d)", quote(name), uid), "remove it"}
	}
	if m := info.Mode().Perm(); m&0o077 != 0 {
		return &FileError{fmt.Sprintf("%s can be used by others than its owner (mode %04o)", quote(name), m),
			fmt.Sprintf("remove it, or chmod 600 %s", name)}
	}
	if links(info) > 1 {
		return &FileError{quote(name) + " has another name as well", "remove it"}
	}
	return nil
}

// MakePrivateDir makes a directory for files with keys, and checks one that is there: what lies in it must not be in the hands of
// others.
func MakePrivateDir(name string) error {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil || !hasPermissions {
		return err
	}
	if uid, _, ok := owner(info); ok && uid != 0 && uid != os.Geteuid() {
		return &FileError{fmt.Sprintf("the directory %s belongs to another user (id %d)", quote(name), uid),
			fmt.Sprintf("chown %d %s, or name another one", os.Geteuid(), name)}
	}
	if m := info.Mode().Perm(); m&0o022 != 0 {
		return &FileError{fmt.Sprintf("others can change the directory %s (mode %04o)", quote(name), m),
			fmt.Sprintf("chmod 700 %s, or name another one", name)}
	}
	return nil
}

// MakeFolder makes a directory for a socket that only this user may use, and checks one that is there: others must not be able to
// put their own socket in its place. In a sticky directory, such as /tmp, they are not. The group of a service may write to a
// directory of root's.
func MakeFolder(name string) error {
	if err := os.MkdirAll(name, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil || !hasPermissions {
		return err
	}
	uid, gid, ok := owner(info)
	if ok && uid != 0 && uid != os.Geteuid() {
		return &FileError{fmt.Sprintf("the directory %s belongs to another user (id %d), who can put another socket in the place of "+
			"this one", quote(name), uid), fmt.Sprintf("chown %d %s, or name a directory that is not there yet: it is made", os.Geteuid(), name)}
	}
	m := info.Mode()
	if bad := m.Perm() & 0o022; bad == 0 || m&fs.ModeSticky != 0 || bad == 0o020 && ok && uid == 0 && forGroup(gid) {
		return nil
	}
	return &FileError{fmt.Sprintf("others can put another socket in the place of this one in %s (mode %04o)", quote(name), m.Perm()),
		fmt.Sprintf("chmod 755 %s, or name a directory that is not there yet: it is made", name)}
}
