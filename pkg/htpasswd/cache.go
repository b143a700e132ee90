package htpasswd

import (
	"crypto/sha256"
	"sync"
)

// cached contains the recent results of Parse and ParseDigest. Translation and the data plane parse the same files, and each
// route of an Ingress has its own filter.
type cached[F any] struct {
	mu      sync.Mutex
	results map[[sha256.Size]byte]result[F]
	bytes   int
}

type result[F any] struct {
	file     F
	problems []Problem
	err      error
}

// maxCached bounds the size of the files whose results are cached. A full cache is cleared.
const maxCached = 8 << 20

var (
	files       cached[*File]
	digestFiles cached[*DigestFile]
)

// get returns the result of parse for a file.
func (c *cached[F]) get(text []byte, parse func([]byte) (F, []Problem, error)) (F, []Problem, error) {
	key := sha256.Sum256(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.results[key]
	if !ok {
		if c.results == nil || c.bytes+len(text) > maxCached {
			c.results, c.bytes = map[[sha256.Size]byte]result[F]{}, 0
		}
		r.file, r.problems, r.err = parse(text)
		c.results[key] = r
		c.bytes += len(text) + sha256.Size
	}
	return r.file, r.problems, r.err
}

// Load is Parse with a cache. Callers must not modify the problems.
func Load(text []byte) (*File, []Problem, error) { return files.get(text, Parse) }

// LoadDigest is ParseDigest with a cache. Callers must not modify the problems.
func LoadDigest(text []byte) (*DigestFile, []Problem, error) {
	return digestFiles.get(text, ParseDigest)
}

// Check returns the number of users of a file, and the problems as Parse does.
func Check(text []byte) (users int, problems []Problem, err error) {
	file, problems, err := Load(text)
	if err != nil {
		return 0, nil, err
	}
	return file.Users(), problems, nil
}

// CheckDigest is Check for files of htdigest.
func CheckDigest(text []byte) (users int, problems []Problem, err error) {
	file, problems, err := LoadDigest(text)
	if err != nil {
		return 0, nil, err
	}
	return file.Users(), problems, nil
}
