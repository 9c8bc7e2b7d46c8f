package eap

import (
	"regexp"
	"testing"
)

// withPasswords are the methods of this file's tables: what all of them do alike.
var withPasswords = []Type{TypeMD5, TypeGTC, TypeMSCHAPv2}

// A client and a server of each method, and each kind of user.
func TestPasswords(t *testing.T) {
	right := Password("correct horse")
	for _, method := range withPasswords {
		t.Run(method.String(), func(t *testing.T) {
			for _, tt := range []struct {
				name           string
				secret         Secret
				server, client Reason // 0: it succeeds
				detail         string
			}{
				{"alice", right, 0, 0, ""},
				{"jürgen", Password("größe 🐴"), 0, 0, ""},
				{"alice", Password("correct horse "), ReasonPassword, ReasonPassword, `of user "alice": the password is wrong`},
				{"alice", Password(""), ReasonPassword, ReasonPassword, ""},
				{"mallory", right, ReasonUnknownUser, ReasonPassword, `of user "mallory": there is no such user`},
				{"Alice", right, ReasonUnknownUser, ReasonPassword, ""},
				{"certificate", right, ReasonSecret, ReasonPassword, "the user has no password"},
				{"locked", right, ReasonLocked, ReasonPassword, "locked"},
				{"locked", Password("guess"), ReasonPassword, ReasonPassword, ""},
				{"expired", right, ReasonPasswordExpired, expired(method), "has to be changed"},
				{"expired", Password("guess"), ReasonPassword, ReasonPassword, ""},
			} {
				o := converse(t, NewServer(serverConfig(method)), NewClient(clientConfig(tt.name, tt.secret, method)))
				if tt.server != 0 {
					f := wantFailure(t, "the server with "+tt.name, o.server, tt.server, tt.detail)
					if f.Method != method || f.User != tt.name {
						t.Errorf("%s: method %s, user %q", tt.name, f.Method, f.User)
					}
					wantFailure(t, "the client of "+tt.name, o.client, tt.client, "")
					continue
				}
				for who, s := range map[string]Step{"the server": o.server, "the client": o.client} {
					r := wantSuccess(t, who, s)
					if r.User.Name != tt.name || r.Method != method || r.User.Method != method.String() || (r.MSK != nil) != method.Keys() {
						t.Errorf("%s: user %q by %s, %q, MSK of %d bytes", who, r.User.Name, r.Method, r.User.Method, len(r.MSK))
					}
				}
				if !o.server.Result.User.In("staff") {
					t.Errorf("%s: is in no group", tt.name)
				}
			}
		})
	}
}

// expired is what the client of a password that has expired learns: MSCHAPv2 alone says so.
func expired(method Type) Reason {
	if method == TypeMSCHAPv2 {
		return ReasonPasswordExpired
	}
	return ReasonPassword
}

// challenges are those of a Failure, in hexadecimal: "C=" and 32 digits, which no two have alike.
var challenges = regexp.MustCompile("433d(3[0-9]|4[1-6]){32}")

// A user that does not exist hears the same as one whose password is wrong, message by message.
func TestUnknownUserHearsTheSame(t *testing.T) {
	for _, method := range withPasswords {
		var before []string
		for _, name := range []string{"alice", "mallo", "exist"} {
			o := converse(t, NewServer(serverConfig(method)), NewClient(clientConfig(name, Password("wrong"), method)))
			var heard []string
			for i := 0; i < len(o.packets); i += 2 {
				heard = append(heard, challenges.ReplaceAllString(o.packets[i], "C="))
			}
			if before != nil && len(before) != len(heard) {
				t.Fatalf("%s: %d packets for %s, %d before", method, len(heard), name, len(before))
			}
			for i := range before {
				if before[i] != heard[i] {
					t.Errorf("%s: packet %d for %s is %s, and %s before", method, i, name, heard[i], before[i])
				}
			}
			before = heard
		}
	}
}
