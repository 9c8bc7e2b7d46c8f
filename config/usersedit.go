package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
)

// UsersFile is the text of a users file that is changed by a program, a line at a time: comments and all other lines stay as they are.
type UsersFile struct {
	// Name is the name of the file.
	Name string
	// Directory are its users.
	Directory *Directory

	lines []string // without their ends
	info  fs.FileInfo
}

// NewUser is a user as a program writes it.
type NewUser struct {
	Name, Password string
	// NTHash has the hash written in the place of the password.
	NTHash bool
	Groups []string
}

// OpenUsersFile reads a users file. One that is not there is an empty one. The error may be an [Errors].
func OpenUsersFile(name string) (*UsersFile, error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target // which is replaced, and not the link
	}
	f := &UsersFile{Name: name, Directory: &Directory{}}
	data, err := ReadPrivate(name, MaxUsersFile)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if f.info, err = os.Stat(name); err != nil {
		return nil, err
	}
	d, errs := ParseUsers(name, data)
	if len(errs) > 0 {
		return nil, errs
	}
	f.Directory = d
	if len(data) == 0 {
		return f, nil
	}
	f.lines = strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), "\n")
	return f, nil
}

// Add adds a user.
func (f *UsersFile) Add(u NewUser) error {
	if e, ok := f.Directory.byName[identity.FoldUser(u.Name)]; ok {
		return fmt.Errorf("%s is there already, in line %d of %s", e.User.Name, e.At.Line, f.Name)
	}
	at := slices.IndexFunc(f.lines, func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "[") })
	if at < 0 {
		at = len(f.lines)
	}
	return f.change(slices.Insert(slices.Clone(f.lines), at, u.line())) // before any user with a table, whose key it would be
}

// SetPassword gives a user another password, which has not expired. Its groups and addresses stay.
func (f *UsersFile) SetPassword(u NewUser) error {
	e, at, err := f.find(u.Name)
	if err != nil {
		return err
	}
	u.Name, u.Groups = e.User.Name, e.User.Groups
	lines := slices.Clone(f.lines)
	lines[at] = u.line()
	if rest := u.rest(e); rest != "" {
		lines[at] = tree.KeyName(u.Name) + " = { " + u.secret() + rest + " }"
	}
	return f.change(lines)
}

// Remove takes a user out.
func (f *UsersFile) Remove(name string) error {
	_, at, err := f.find(name)
	if err != nil {
		return err
	}
	return f.change(slices.Delete(slices.Clone(f.lines), at, at+1))
}

// find finds the line of a user.
func (f *UsersFile) find(name string) (*UserEntry, int, error) {
	e, ok := f.Directory.byName[identity.FoldUser(name)]
	if !ok {
		return nil, 0, fmt.Errorf("there is no user %s in %s", quote(name), f.Name)
	}
	if line := strings.TrimSpace(f.lines[e.At.Line-1]); strings.HasPrefix(line, "[") || strings.Contains(line, `"""`) || strings.Contains(line, "'''") {
		return nil, 0, fmt.Errorf("%s has several lines in %s: change it with an editor", e.User.Name, f.Name)
	}
	return e, e.At.Line - 1, nil
}

// change takes lines up that are a users file.
func (f *UsersFile) change(lines []string) error {
	d, errs := ParseUsers(f.Name, []byte(strings.Join(lines, "\n")+"\n"))
	if len(errs) > 0 {
		return errs
	}
	f.lines, f.Directory = lines, d
	return nil
}

// Write puts the file in the place of the one that was read, at once and whole, for the same owner and mode. A new one is its owner's alone.
func (f *UsersFile) Write() (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(f.Name), ".users-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if f.info != nil {
		if uid, gid, ok := owner(f.info); ok {
			if err := tmp.Chown(uid, gid); err != nil {
				return fmt.Errorf("the file would belong to somebody else: %w", err)
			}
		}
		if err := tmp.Chmod(f.info.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := tmp.WriteString(strings.Join(f.lines, "\n") + "\n"); err != nil {
		return err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), f.Name)
}

// line is the line of a user.
func (u NewUser) line() string {
	name := tree.KeyName(u.Name)
	if !u.NTHash && len(u.Groups) == 0 {
		return name + " = " + tree.QuoteTOML(u.Password)
	}
	return name + " = { " + u.secret() + groupsOf(u.Groups) + " }"
}

func (u NewUser) secret() string {
	if u.NTHash {
		hash, _ := eap.Password(u.Password).NT()
		return fmt.Sprintf("nt_hash = \"%x\"", hash)
	}
	return "password = " + tree.QuoteTOML(u.Password)
}

// rest are the keys of a user but for its secret; "" if groups are all.
func (u NewUser) rest(e *UserEntry) string {
	if len(e.User.Addresses) == 0 && !e.Disabled {
		return ""
	}
	text := groupsOf(e.User.Groups)
	if len(e.User.Addresses) > 0 {
		var list []string
		for _, a := range e.User.Addresses {
			list = append(list, tree.QuoteTOML(a.String()))
		}
		text += ", addresses = [" + strings.Join(list, ", ") + "]"
	}
	if e.Disabled {
		text += ", disabled = true"
	}
	return text
}

func groupsOf(groups []string) string {
	if len(groups) == 0 {
		return ""
	}
	var list []string
	for _, g := range groups {
		list = append(list, tree.QuoteTOML(g))
	}
	return ", groups = [" + strings.Join(list, ", ") + "]"
}
