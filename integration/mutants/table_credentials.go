package main

// credentials are mutants of which files with certificates and keys are read, what they come to, and when others take their place.
func credentials() []Mutant {
	return []Mutant{
		{
			Name: "key-of-another", File: "config/certfiles.go", Tests: "^TestCertificateErrors$",
			Old: "		if pki.SameKey(k.public, public) {\n", New: "		if pki.SameKey(k.public, public) || k.signer != nil {\n",
			Why: "a certificate would be used with whatever key there is",
		},
		{
			Name: "cacerts-and-all-others", File: "config/credentialset.go", Tests: "^TestPubkey$",
			Old: "	if a.Has(\"cacerts\") {\n		t.Anchors = nil\n", New: "	if a.Has(\"cacerts\") {\n",
			Why: "a peer that is to have a certificate of one CA would be let in with that of any",
		},
		{
			Name: "raw-key-or-any-ca", File: "config/credentialset.go", Tests: "^TestPubkey$",
			Old: "	} else if len(t.Keys) > 0 {\n", New: "	} else if false {\n",
			Why: "a peer that is known by its key would be let in with a certificate of any CA",
		},
		{
			Name: "certificate-of-another-identity", File: "config/ownpairs.go", Tests: "^TestPubkey$",
			Old: "!n.Local.ID.Any() && !pki.Binds(f.certs[0], n.Local.ID)", New: "false",
			Why: "a connection without certs would show the certificate of another one",
		},
		{
			Name: "renewed-for-another", File: "config/renewed.go", Tests: "^TestRenewed$",
			Old: "		case bound(c.Set.Own(n.Name, 0), id) && !bound(own, id):\n", New: "		case false:\n",
			Why: "a certificate that is for somebody else would take the place of the one in use",
		},
		{
			Name: "renewed-unlike-its-key", File: "config/renewed.go", Tests: "^TestRenewed$|^TestUsersRenewed$",
			Old: "	if len(r.errs) > 0 {\n\t\t*out = *c\n", New: "	if false {\n\t\t*out = *c\n",
			Why: "a certificate without its key would take the place of the one in use",
		},
		{
			Name: "user-of-another-gateway", File: "config/users.go", Tests: "^TestUsersOfAConfiguration$",
			Old: "			if _, is := own[name]; is {\n", New: "			if _, is := own[name]; is && false {\n",
			Why: "whoever checks this side as a user could come in here with its password",
		},
		{
			Name: "user-by-any-name", File: "config/eaptls.go", Tests: "^TestEAPUsersByCertificate$",
			Old: "id, name = subjectOf(c), nameIn(c)\n", New: "name = says\n",
			Why: "the user of a certificate would be whoever it says that it is",
		},
		{
			Name: "users-half", File: "config/renewed.go", Tests: "^TestUsersRenewed$",
			Old: "	if out.readDirectory(users); len(users.errs) > 0 {\n", New: "	if out.readDirectory(users); false {\n",
			Why: "the users before a wrong line would be all that there are",
		},
		{
			Name: "half-written", File: "cmd/esplanade/certfiles.go", Tests: "^TestCertFilesAreReadWhenNobodyWrites$",
			Old: "	if !stable || now == f.known {\n", New: "	if stable && false || now == f.known {\n",
			Why: "a file would be read while somebody writes it",
		},
		{
			Name: "costly-key-file", File: "ike/pki/files/pbes2.go", Tests: "^TestCosts$",
			Old: "	case iterations > MaxIterations:\n", New: "	case false:\n",
			Why: "a file could keep the start waiting for hours",
		},
		{
			Name: "costly-bundle", File: "ike/pki/files/pkcs12.go", Tests: "^TestCosts$",
			Old: "		case tag == asn1.INTEGER && salt && tooMany(value):\n", New: "		case salt && false:\n",
			Why: "a bundle could keep the start waiting for hours",
		},
		{
			Name: "half-a-chain", File: "ike/pki/files/pem.go", Tests: "^TestInstead$",
			Old: "		if !whole {\n", New: "		if !whole && len(blocks) == 0 {\n",
			Why: "a chain that is cut would be another error, or taken for all of it",
		},
		{
			Name: "key-that-others-read", File: "config/certfiles.go", Tests: "^TestCertificateErrors$",
			Old: "	data, err := ReadPrivate(path, files.MaxKey)\n", New: "	data, err := os.ReadFile(path)\n",
			Why: "a private key that others can read would be taken",
		},
	}
}
