package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"esplanade/config"
)

func newUser() *cobra.Command {
	c := &cobra.Command{
		Use:   "user",
		Short: "Change a users file: add, list, passwd, remove",
		Long: `User changes the users file of a gateway, the file of [users], one user at a time. All other lines stay as they are, and the file is
replaced at once: a running gateway takes it up within seconds. A file that is not there is made, for its owner alone.`,
		Args: subcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newUserAdd(), newUserPasswd(), newUserList(), newUserRemove())
	return c
}

// userFlags are how a password is given.
type userFlags struct {
	file   string
	ntHash bool
	groups []string
}

func (f *userFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "password-file", "", "a `file` whose first line is the password; without it, it is asked for")
	c.Flags().BoolVar(&f.ntHash, "nt-hash", false, "keep the NT hash in the place of the password: enough for MSCHAPv2, and as good as the password for whoever reads it")
}

// password is what the flags say, or what is typed.
func (f *userFlags) password(c *cobra.Command, name string) (string, error) {
	if f.file != "" {
		return passwordOf(f.file)
	}
	first, err := askPassword(c.InOrStdin(), c.ErrOrStderr(), "password of "+name+": ")
	if errors.Is(err, errNoTerminal) {
		return "", errors.New("there is no terminal to ask for the password; name a file with it: --password-file FILE")
	}
	if err != nil {
		return "", err
	}
	second, err := askPassword(c.InOrStdin(), c.ErrOrStderr(), "the same again: ")
	switch {
	case err != nil:
		return "", err
	case first == "":
		return "", errors.New("the password is empty; nothing was changed")
	case first != second:
		return "", errors.New("the two are not the same; nothing was changed; try again")
	}
	return first, nil
}

// twoArgs are the file and the name of a user.
func twoArgs(c *cobra.Command, args []string) error {
	if len(args) != 2 || args[0] == "" || args[1] == "" {
		return usageError{c, c.Name() + " needs FILE and NAME, the users file and the name of the user"}
	}
	return nil
}

// changeUsers changes a users file.
func changeUsers(c *cobra.Command, file string, change func(*config.UsersFile) error) error {
	f, err := config.OpenUsersFile(file)
	if err == nil {
		err = change(f)
	}
	if err == nil {
		err = f.Write()
	}
	if list := (config.Errors)(nil); errors.As(err, &list) {
		fmt.Fprintln(c.ErrOrStderr(), list)
		return errors.New("nothing was changed")
	}
	return err
}

func newUserAdd() *cobra.Command {
	f := userFlags{}
	c := &cobra.Command{
		Use: "add FILE NAME", Short: "Add a user", Args: twoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			return changeUsers(c, args[0], func(u *config.UsersFile) error {
				password, err := f.password(c, args[1])
				if err != nil {
					return err
				}
				return u.Add(config.NewUser{Name: args[1], Password: password, NTHash: f.ntHash, Groups: f.groups})
			})
		},
	}
	f.add(c)
	c.Flags().StringSliceVar(&f.groups, "group", nil, "a `group` that the user is in; may be given several times")
	return c
}

func newUserPasswd() *cobra.Command {
	f := userFlags{}
	c := &cobra.Command{
		Use: "passwd FILE NAME", Short: "Give a user another password", Args: twoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			return changeUsers(c, args[0], func(u *config.UsersFile) error {
				password, err := f.password(c, args[1])
				if err != nil {
					return err
				}
				return u.SetPassword(config.NewUser{Name: args[1], Password: password, NTHash: f.ntHash})
			})
		},
	}
	f.add(c)
	return c
}

func newUserRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove FILE NAME", Short: "Take a user out: a running gateway puts it out", Args: twoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			return changeUsers(c, args[0], func(u *config.UsersFile) error { return u.Remove(args[1]) })
		},
	}
}

func newUserList() *cobra.Command {
	return &cobra.Command{
		Use: "list FILE", Short: "List the users, without their passwords", Args: oneArg("FILE"), ValidArgsFunction: completeFile,
		RunE: func(c *cobra.Command, args []string) error {
			f, err := config.OpenUsersFile(args[0])
			if list := (config.Errors)(nil); errors.As(err, &list) {
				fmt.Fprintln(c.ErrOrStderr(), list)
				return silentError{}
			}
			if err != nil {
				return err
			}
			listUsers(c.OutOrStdout(), f.Directory)
			return nil
		},
	}
}

// listUsers writes a line for each user.
func listUsers(w io.Writer, d *config.Directory) {
	for e := range d.All() {
		parts := []string{e.User.Name}
		if len(e.User.Groups) > 0 {
			parts = append(parts, "groups "+strings.Join(e.User.Groups, ","))
		}
		for _, a := range e.User.Addresses {
			parts = append(parts, a.String())
		}
		for _, x := range []struct {
			is   bool
			word string
		}{{!e.PlainText, "nt_hash"}, {e.Expired, "expired"}, {e.Disabled, "disabled"}} {
			if x.is {
				parts = append(parts, x.word)
			}
		}
		fmt.Fprintln(w, strings.Join(parts, "  "))
	}
}
