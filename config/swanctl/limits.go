package swanctl

// Limits of what is read. They bound what a mistake costs (a pattern that matches too much, sections that inherit from each other), and are
// well above what a host with ten thousand connections has.
const (
	// maxDepth is how deep sections may be nested.
	maxDepth = 32
	// maxIncludeDepth is how deep files may include each other; strongSwan's limit is the same.
	maxIncludeDepth = 10
	// maxFiles is how many files may be read for one configuration, each time that it is included.
	maxFiles = 32768
	// maxBytes is how much text they may have in all, in bytes.
	maxBytes = 64 << 20
	// maxEntries is how many keys and sections the whole may have with what is inherited.
	maxEntries = 1 << 21
	// maxReferences is how many sections one section may inherit from, those that these inherit from included.
	maxReferences = 256
	// maxSteps is how many sections are looked up for what is inherited, and stepsPerEntry how many more for each key and section that is written.
	maxSteps      = 1 << 16
	stepsPerEntry = 64
)
