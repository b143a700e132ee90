package manifest

import (
	"fmt"
	"maps"
	"slices"
)

// Skipped is an object or file that was ignored.
type Skipped struct {
	File string
	Line int
	// What is the reason, such as an unsupported kind.
	What string
}

// String returns "FILE:LINE: WHAT".
func (s Skipped) String() string {
	if s.File == "" {
		return s.What
	}
	return (&Error{s.File, s.Line, s.What}).Error()
}

// maxSkipped bounds the list of skipped objects for one reason. The others are counted.
const maxSkipped = 10

// skips lists what was skipped.
type skips struct {
	list   []Skipped
	counts map[string]int // by reason
}

func (s *skips) add(one Skipped) {
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	if s.counts[one.What]++; s.counts[one.What] <= maxSkipped {
		s.list = append(s.list, one)
	}
}

// merge adds everything that other lists or counts.
func (s *skips) merge(other *skips) {
	listed := map[string]int{}
	for _, one := range other.list {
		listed[one.What]++
		s.add(one)
	}
	for what, count := range other.counts {
		s.counts[what] += count - listed[what]
	}
}

// sorted returns the list, with the number of those that are not listed at its end.
func (s *skips) sorted() []Skipped {
	out := slices.Clone(s.list)
	for _, what := range slices.Sorted(maps.Keys(s.counts)) {
		if more := s.counts[what] - maxSkipped; more > 0 {
			out = append(out, Skipped{What: fmt.Sprintf("and %d more: %s", more, what)})
		}
	}
	return out
}
