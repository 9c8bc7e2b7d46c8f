package main

// files are mutants of what is read from files, written to them, and logged.
func files() []Mutant {
	return []Mutant{
		{
			Name: "key-file-mode", File: "config/read_secrets.go", Tests: "^TestSecretFile$",
			Old: "hasPermissions && m&0o077 != 0 {", New: "false {",
			Why: "a key that everybody can read would be taken",
		},
		{
			Name: "key-file-owner", File: "config/read_secrets.go", Tests: "^TestSecretFileOwner$",
			Old: "if uid, ok := owner(info); ok && uid != 0 && uid != os.Geteuid() {", New: "if uid, ok := owner(info); false && ok {",
			Why: "a key that another user can change would be taken",
		},
		{
			Name: "key-file-pipe", File: "config/read_secrets.go", Tests: "^TestSecretFileKinds$",
			Old: "os.O_RDONLY|nonblock", New: "os.O_RDONLY",
			Why: "a pipe in place of a key would stop the start",
		},
		{
			Name: "key-file-size", File: "config/read_secrets.go", Tests: "^TestSecretFileKinds$",
			Old: "io.LimitReader(f, most+1)", New: "f",
			Why: "a large file in place of a key would fill the memory",
		},
		{
			Name: "secret-format", File: "config/secret.go", Tests: "^TestSecretIsNeverPrinted$",
			Old: "func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }", New: "func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, string(s.Bytes())) }",
			Why: "a key would be in the log",
		},
		{
			Name: "secret-marshal", File: "config/secret.go", Tests: "^TestSecretIsNeverPrinted$",
			Old: "func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }", New: "func (s Secret) MarshalText() ([]byte, error) { return s.Bytes(), nil }",
			Why: "a key would be in what is encoded",
		},
		{
			Name: "secret-log-value", File: "config/secret.go", Tests: "^TestSecretIsNeverPrinted$",
			Old: "slog.StringValue(redacted)", New: "slog.StringValue(string(s.Bytes()))",
			Why: "a key would be in the log",
		},
		{
			Name: "saved-keys-mode", File: "cmd/esplanade/keylog.go", Tests: "^TestKeyLog$",
			Old: "os.O_APPEND, 0o600)", New: "os.O_APPEND, 0o644)",
			Why: "saved keys would be for everybody",
		},
		{
			Name: "crash-secret-mode", File: "cmd/esplanade/crashsecret.go", Tests: "^TestCrashSecret$",
			Old: "	case fi.Mode().Perm()&0o077 != 0:\n", New: "	case false:\n",
			Why: "whoever can read it could end the tunnels",
		},
		{
			Name: "crash-secret-length", File: "cmd/esplanade/crashsecret.go", Tests: "^TestCrashSecret$",
			Old: "!fi.Mode().IsRegular() || fi.Size() != crashSecretLen:", New: "!fi.Mode().IsRegular():",
			Why: "an empty file would be a secret that everybody knows",
		},
	}
}
