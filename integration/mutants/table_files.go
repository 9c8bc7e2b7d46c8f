package main

// files are mutants of what is read from files, written to them, and logged.
func files() []Mutant {
	return []Mutant{
		{
			Name: "key-file-mode", File: "config/privatefile.go", Tests: "^(TestSecretFile|TestPrivateFilesOfUsers)$",
			Old: "	if m&0o077 == 0 || m&0o037 == 0 && ok && uid == 0 && (forGroup(gid) || aclForUs(f)) {\n", New: "	if gid >= 0 || gid < 0 {\n",
			Why: "a key that everybody can read would be taken",
		},
		{
			Name: "key-file-owner", File: "config/privatefile.go", Tests: "^(TestSecretFileOwner|TestPrivateFilesOfUsers)$",
			Old: "	if ok && uid != 0 && uid != os.Geteuid() {\n		fix := fmt", New: "	if false {\n		fix := fmt",
			Why: "a key that another user can change would be taken",
		},
		{
			Name: "key-file-pipe", File: "config/privatefile.go", Tests: "^(TestSecretFileKinds|TestConfigurationIsAFile)$",
			Old: "os.OpenFile(name, os.O_RDONLY|nonblock, 0)", New: "os.OpenFile(name, os.O_RDONLY, 0)",
			Why: "a pipe in place of a key would stop the start",
		},
		{
			Name: "key-file-size", File: "config/privatefile.go", Tests: "^TestSecretFile",
			Old: "	case int64(len(data)) > most:\n", New: "	case false:\n",
			Why: "a file of many keys would be taken for one, cut",
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
			Old: "func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }", New: "func (s Secret) LogValue() slog.Value { return slog.StringValue(string(s.Bytes())) }",
			Why: "a key would be in the log",
		},
		{
			Name: "saved-keys-mode", File: "config/privatefile.go", Tests: "^TestPrivateAppend$",
			Old: "os.O_APPEND|nonblock|nofollow, 0o600)", New: "os.O_APPEND|nonblock|nofollow, 0o644)",
			Why: "saved keys would be for everybody",
		},
		{
			Name: "crash-secret-mode", File: "cmd/esplanade/crashsecret.go", Tests: "^TestCrashSecret$",
			Old: "config.ReadPrivate(name, crashSecretLen)", New: "os.ReadFile(name)",
			Why: "whoever can read it could end the tunnels",
		},
		{
			Name: "crash-secret-length", File: "cmd/esplanade/crashsecret.go", Tests: "^TestCrashSecret$",
			Old: "if err == nil && len(b) != crashSecretLen {", New: "if err == nil && len(b) > crashSecretLen {",
			Why: "an empty file would be a secret that everybody knows",
		},
		{
			Name: "key-file-group", File: "config/privatefile.go", Tests: "^(TestPrivateFilesOfUsers|TestSecretFile)$",
			Old: "ok && uid == 0 && (forGroup(gid) || aclForUs(f)) {", New: "ok && uid == 0 && gid >= 0 {",
			Why: "a key that a group of others can read would be taken",
		},
		{
			Name: "saved-keys-link", File: "config/privatefile.go", Tests: "^TestPrivateAppend$",
			Old: "|nonblock|nofollow, 0o600)", New: "|nonblock, 0o600)",
			Why: "keys would be written to wherever somebody has a link lead",
		},
		{
			Name: "saved-keys-other-name", File: "config/privatefile.go", Tests: "^TestPrivateAppend$",
			Old: "	if links(info) > 1 {\n", New: "	if false {\n",
			Why: "keys would be written to a file that others have under another name",
		},
		{
			Name: "saved-keys-loose", File: "config/privatefile.go", Tests: "^TestPrivateAppend$",
			Old: "	if m := info.Mode().Perm(); m&0o077 != 0 {\n		return &FileError{fmt.Sprintf(\"%s can be used by others than its owner (mode %04o)\", quote(name), m),\n			fmt.Sprintf(\"remove it, or", New: "	if m := info.Mode().Perm(); false {\n		return &FileError{fmt.Sprintf(\"%s can be used by others than its owner (mode %04o)\", quote(name), m),\n			fmt.Sprintf(\"remove it, or",
			Why: "keys would be written to a file that others can read",
		},
		{
			Name: "saved-keys-folder", File: "config/privatefile.go", Tests: "^(TestPrivateFolders|TestPrivateAppend)$",
			Old: "	if m := info.Mode().Perm(); m&0o022 != 0 {\n", New: "	if m := info.Mode().Perm(); false {\n",
			Why: "others could put their own file in the place of that for the keys",
		},
		{
			Name: "configuration-pipe", File: "config/privatefile.go", Tests: "^(TestConfigurationIsAFile|TestSecretFileKinds)$",
			Old: "	if err == nil && !info.Mode().IsRegular() {\n		err = &FileError{fmt.Sprintf(\"%s is %s, not a regular file\", quote(name), kindOfFile(info.Mode())), \"write", New: "	if false {\n		err = &FileError{fmt.Sprintf(\"%s is %s, not a regular file\", quote(name), kindOfFile(info.Mode())), \"write",
			Why: "a pipe or a device in place of a file would hang the gateway",
		},
	}
}
