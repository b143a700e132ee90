package pattern

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"sync"
	"unicode/utf8"
)

// Limits of expressions and values. With them a match takes less than 50 us, and compiling a few milliseconds, on one
// core of a small machine.
const (
	// MaxText is the maximum length of an expression in bytes.
	MaxText = 256
	// MaxProgram is the maximum number of instructions of an expression, with its repetitions expanded.
	MaxProgram = 512
	// MaxValue is the maximum length in bytes of a value that can match.
	MaxValue = 4096
	// maxStates and maxCells limit the size of the automaton.
	maxStates = 512
	maxCells  = 8192
	// maxSteps limits the work of building it.
	maxSteps = 100_000
	// maxRanges is the maximum number of character ranges. Each character of three or more bytes requires a binary
	// search in them.
	maxRanges = 2048
)

// Errors of Compile. Translation appends their text to a sentence, so they have no package prefix. An expression with
// a syntax error returns the text of regexp/syntax.
var (
	// errLong is returned for an expression that is longer than MaxText.
	errLong = fmt.Errorf("it is longer than %d bytes", MaxText)
	// errLarge is returned for an expression that exceeds the other limits.
	errLarge = errors.New("it is too large once its repetitions are written out")
)

// Pattern is a compiled expression. It is immutable and safe for concurrent use.
type Pattern struct {
	lowClasses   [lowRunes]uint8 // class of each character of one or two bytes
	ranges       []rune          // first character of each other range, sorted; ranges[0] is lowRunes
	classes      []uint8         // class of each range
	invalidClass uint8           // class of a byte that is not valid UTF-8
	numClasses   int             // number of classes
	transitions  []uint16        // next state by state*numClasses + class
	acceptsAtEnd []bool          // by state: whether the value matches if it ends here
}

// lowRunes is the number of characters of one or two bytes in UTF-8.
const lowRunes = 0x800

// States that every automaton has.
const (
	start    uint16 = 0
	accepted uint16 = 1 // the value matches, with any remaining bytes
)

// Compile compiles an expression in RE2 syntax, as in package regexp. Its errors complete a sentence about the
// expression. Recent results are cached, because translation and the data plane compile the same expressions.
func Compile(text string) (*Pattern, error) {
	if len(text) > MaxText {
		return nil, errLong
	}
	return results.compile(text)
}

// CompileWhole compiles an expression that must match all of a value. Otherwise it is like Compile.
func CompileWhole(text string) (*Pattern, error) {
	if _, err := Compile(text); err != nil { // by itself, so that "a)(b" is invalid
		return nil, err
	}
	return results.compile(`\A(?:` + text + `)\z`)
}

func compile(text string) (*Pattern, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > MaxProgram {
		return nil, errLarge
	}
	b := newBuilder(program)
	if err := b.build(); err != nil {
		return nil, err
	}
	return b.p, nil
}

// estimateSize estimates the number of instructions before repetitions are expanded. Nested repetitions multiply: 20
// bytes can expand to a hundred million instructions. The result is at most MaxProgram+1.
func estimateSize(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += estimateSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, MaxProgram+1)
}

// Match reports whether the expression matches anywhere in value. A value longer than MaxValue does not match.
func (p *Pattern) Match(value []byte) bool {
	if len(value) > MaxValue {
		return false
	}
	state := start
	for i := 0; i < len(value); {
		class := p.invalidClass
		if c := value[i]; c < utf8.RuneSelf {
			class = p.lowClasses[c]
			i++
		} else {
			r, n := utf8.DecodeRune(value[i:])
			if i += n; n > 1 {
				class = p.classOf(r)
			}
		}
		if state = p.transitions[int(state)*p.numClasses+int(class)]; state == accepted {
			return true
		}
	}
	return p.acceptsAtEnd[state]
}

// classOf returns the class of a character, by table for low characters and by binary search for others.
func (p *Pattern) classOf(r rune) uint8 {
	if r < lowRunes {
		return p.lowClasses[r]
	}
	low, high := 0, len(p.ranges)
	for high-low > 1 {
		if middle := (low + high) / 2; p.ranges[middle] <= r {
			low = middle
		} else {
			high = middle
		}
	}
	return p.classes[low]
}

// resultCache contains the results of recent calls of Compile.
type resultCache struct {
	mu      sync.Mutex
	results map[string]result
}

type result struct {
	pattern *Pattern
	err     error
}

// maxResults is the maximum number of cached results. A full cache is cleared.
const maxResults = 1024

var results = resultCache{results: map[string]result{}}

func (c *resultCache) compile(text string) (*Pattern, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.results[text]; ok {
		return r.pattern, r.err
	}
	if len(c.results) == maxResults {
		clear(c.results)
	}
	var r result
	r.pattern, r.err = compile(text)
	c.results[text] = r
	return r.pattern, r.err
}
