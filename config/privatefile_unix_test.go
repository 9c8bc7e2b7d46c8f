//go:build unix

package config

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The user and the groups of a service that is not root.
const serviceUser, serviceGroup, fsGroup = 47110, 47111, 47112

// as runs a function of privateCalls as another user with two groups, in a process of its own, and gives its error.
func as(t *testing.T, call, name string, uid, gid uint32, groups ...uint32) string {
	t.Helper()
	c := exec.Command("/proc/self/exe", "-test.run=^TestPrivateCall$", "-test.v")
	c.Env = append(os.Environ(), "PRIVATE_CALL="+call, "PRIVATE_NAME="+name)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid, Groups: groups}}
	c.Dir = "/"
	out, err := c.CombinedOutput()
	_, said, ok := strings.Cut(string(out), "SAYS ")
	if err != nil || !ok {
		t.Fatalf("%s: %v\n%s", call, err, out)
	}
	said, _, _ = strings.Cut(said, "\n")
	return said
}

// TestPrivateCall is the other process of as.
func TestPrivateCall(t *testing.T) {
	name := os.Getenv("PRIVATE_NAME")
	var err error
	switch os.Getenv("PRIVATE_CALL") {
	case "read":
		_, err = ReadPrivate(name, 100)
	case "append":
		var f *os.File
		if f, err = OpenPrivateAppend(name); err == nil {
			f.Close()
		}
	case "dir":
		err = MakePrivateDir(name)
	case "folder":
		err = MakeFolder(name)
	default:
		t.Skip("it is the other process of another test")
	}
	fmt.Printf("SAYS %v\n", err)
}

func needRoot(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/exe"); err != nil || os.Geteuid() != 0 {
		t.Skip("NOT TESTED: only root on Linux can try what other users get")
	}
}

// tempDir is t.TempDir for all users.
func tempDir(t *testing.T) string {
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	return dir
}

// TestPrivateFilesOfUsers: who may read a key's file, by its owner, group and mode: a service that is not root, one with a Secret
// of Kubernetes, and root.
func TestPrivateFilesOfUsers(t *testing.T) {
	needRoot(t)
	name := write(t, filepath.Join(tempDir(t), "key"), testKey, 0o600)
	const service, root, rootPod = "service", "root", "root in a pod"
	for _, tt := range []struct {
		who      string
		uid, gid int
		mode     os.FileMode
		want     string // in the error; empty: it is read
	}{
		{service, serviceUser, serviceGroup, 0o600, ""},
		{service, serviceUser, serviceGroup, 0o400, ""},
		{service, serviceUser, serviceGroup, 0o640, "(mode 0640); chmod 600"},
		{service, serviceUser, fsGroup, 0o640, "(mode 0640)"},
		{service, 0, serviceGroup, 0o640, ""},
		{service, 0, fsGroup, 0o440, ""},
		{service, 0, fsGroup, 0o640, ""},
		{service, 0, fsGroup, 0o460, "(mode 0460)"},
		{service, 0, fsGroup, 0o444, "(mode 0444)"},
		{service, 0, 0, 0o644, "(mode 0644); chown 47110"},
		{service, 0, 0, 0o440, "permission denied"},
		{service, 4711, serviceGroup, 0o640, "belongs to another user (id 4711)"},
		{root, 0, 0, 0o600, ""},
		{root, 0, 0, 0o640, "(mode 0640); chmod 600"},
		{root, 0, serviceGroup, 0o640, "(mode 0640); chmod 600"},
		{root, serviceUser, serviceGroup, 0o600, "belongs to another user (id 47110)"},
		{rootPod, 0, fsGroup, 0o440, ""},
		{rootPod, 0, fsGroup, 0o444, "(mode 0444)"},
	} {
		if err := os.Chown(name, tt.uid, tt.gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, tt.mode); err != nil {
			t.Fatal(err)
		}
		var got string
		switch tt.who {
		case service:
			got = as(t, "read", name, serviceUser, serviceGroup, fsGroup)
		case root:
			got = as(t, "read", name, 0, 0)
		case rootPod:
			got = as(t, "read", name, 0, 0, fsGroup)
		}
		if tt.want == "" && got != "<nil>" || !strings.Contains(got, tt.want) {
			t.Errorf("%s, owner %d:%d, mode %04o: %s; want %q", tt.who, tt.uid, tt.gid, tt.mode, got, tt.want)
		}
	}
}

// TestKubernetesSecret: the volume of a Secret is symbolic links, and what is wrong with it is mended in the pod's manifest.
func TestKubernetesSecret(t *testing.T) {
	needRoot(t)
	dir := tempDir(t)
	real := filepath.Join(dir, "..2026_05_04_10_02_03.1")
	if err := os.Mkdir(real, 0o755); err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(real, "key"), testKey, 0o440)
	if err := os.Chown(file, 0, fsGroup); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"..data": filepath.Base(real), "key": "..data/key"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(dir, "key")
	if got := as(t, "read", name, serviceUser, serviceGroup, fsGroup); got != "<nil>" {
		t.Error(got)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := as(t, "read", name, serviceUser, serviceGroup, fsGroup); !strings.Contains(got, "defaultMode: 0400") || strings.Contains(got, "chmod") {
		t.Error(got)
	}
}

// TestPrivateAppend: keys are only written to files of one's own that nobody else can use.
func TestPrivateAppend(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	victim := write(t, path("victim"), "", 0o600)
	if err := os.Symlink(victim, path("symlink")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(victim, path("hardlink")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path("directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path("mine"), "", 0o600)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o666} {
		write(t, path(fmt.Sprintf("mode-%o", mode)), "", mode)
	}
	for name, want := range map[string]string{
		"new": "", "mine": "", "symlink": "is a symbolic link", "hardlink": "has another name", "pipe": "no such device", "directory": "is a directory",
		"mode-640": "(mode 0640)", "mode-604": "(mode 0604)", "mode-620": "(mode 0620)", "mode-602": "(mode 0602)", "mode-666": "(mode 0666)",
	} {
		f, err := OpenPrivateAppend(path(name))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if err == nil {
			if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
			}
			f.Close()
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: the file of another user, which only root can make")
	}
	if err := os.Chown(path("mine"), serviceUser, serviceGroup); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPrivateAppend(path("mine")); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("the file of another user: %v", err)
	}
}

// TestPrivateFolders: the directory of exported keys is the user's own, and nobody else can put a socket in the place of that for
// control.
func TestPrivateFolders(t *testing.T) {
	needRoot(t)
	dir := tempDir(t)
	name := filepath.Join(dir, "d")
	for _, tt := range []struct {
		call     string
		uid, gid int
		mode     os.FileMode
		want     string
	}{
		{"dir", 0, 0, 0o700, ""},
		{"dir", 0, 0, 0o755, ""},
		{"dir", 0, 0, 0o775, "others can change"},
		{"dir", 0, 0, 0o777 | os.ModeSticky, "others can change"},
		{"dir", serviceUser, 0, 0o700, ""},
		{"dir", 4711, 0, 0o755, "belongs to another user"},
		{"folder", 0, 0, 0o755, ""},
		{"folder", 0, 0, 0o777, "another socket in the place"},
		{"folder", 0, 0, 0o777 | os.ModeSticky, ""},
		{"folder", 0, fsGroup, 0o775, ""},
		{"folder", 0, 0, 0o775, "another socket in the place"},
		{"folder", serviceUser, serviceGroup, 0o700, ""},
		{"folder", 4711, 4711, 0o755, "belongs to another user"},
	} {
		os.Remove(name)
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name, tt.uid, tt.gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, tt.mode); err != nil {
			t.Fatal(err)
		}
		if got := as(t, tt.call, name, serviceUser, serviceGroup, fsGroup); tt.want == "" && got != "<nil>" || !strings.Contains(got, tt.want) {
			t.Errorf("%s of %d:%d, mode %v: %s; want %q", tt.call, tt.uid, tt.gid, tt.mode, got, tt.want)
		}
	}
}

// TestConfigurationIsAFile: what may never answer is refused, and nothing waits for it.
func TestConfigurationIsAFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{pipe: "is a pipe", "/dev/zero": "is a device", dir: "is a directory"} {
		if _, err := Load(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	large := write(t, filepath.Join(dir, "large.toml"), strings.Repeat("#", MaxFileSize+1), 0o600)
	if _, err := Load(large); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
}
