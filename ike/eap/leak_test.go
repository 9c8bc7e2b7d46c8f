package eap

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// No secret shows, however what holds it is printed: neither a password, nor its hash, nor what a conversation makes of them.
func TestSecretsMustNotLeak(t *testing.T) {
	const password = "hunter2-hunter2"
	nt := ntHash(password)
	secrets := []string{password, hex.EncodeToString([]byte(password)), hex.EncodeToString(nt[:]), fmt.Sprint(nt), fmt.Sprint([]byte(password)),
		fmt.Sprintf("%#v", nt), fmt.Sprintf("%#v", []byte(password))}
	dir := directory{"alice": Password(password)}
	values := []any{Password(password), NTHash(nt), dir, clientConfig("alice", Password(password), TypeGTC)}
	for _, method := range withPasswords {
		for _, tried := range []Secret{Password(password), Password("wrong")} {
			cfg := serverConfig(method)
			cfg.Users = dir
			s, c := NewServer(cfg), NewClient(clientConfig("alice", tried, method))
			o := converse(t, s, c)
			values = append(values, o.server, o.client, &o.server, o.server.Result, o.client.Result, o.server.Err, o.client.Err, s, c, *cfg)
			if r := o.server.Result; r != nil && r.MSK != nil {
				secrets = append(secrets, hex.EncodeToString(r.MSK), fmt.Sprint(r.MSK), fmt.Sprint(r.MSK[:32]))
			}
		}
	}
	// What a client says of GTC is the password itself.
	c := NewClient(clientConfig("alice", Password(password), TypeGTC))
	values = append(values, c.Step(noon, request(1, TypeGTC, "Password: ")), struct{ S Secret }{Password(password)}, claimant{secret: Password(password)})
	for _, v := range values {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
			fmt.Fprintf(&out, verb, v)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		for _, s := range secrets {
			if strings.Contains(strings.ToLower(out.String()), strings.ToLower(strings.Trim(s, "[]"))) {
				t.Errorf("%T shows %.20s…", v, s)
			}
		}
	}
}
