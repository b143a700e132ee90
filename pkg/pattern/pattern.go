package pattern

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"sync"
	"unicode/utf8"
)

// The bounds of an expression and of the values it is matched against. Together they keep a match below 50 us, and
// compiling below a few milliseconds, on one core of a small machine.
const (
	// MaxText is the length of the longest expression in bytes.
	MaxText = 256
	// MaxProgram is the number of instructions of the largest expression, with its repetitions written out.
	MaxProgram = 512
	// MaxValue is the length in bytes of the longest value that can match.
	MaxValue = 4096
	// maxStates and maxCells bound the automaton.
	maxStates = 512
	maxCells  = 8192
	// maxSteps bounds the work of building it.
	maxSteps = 100_000
	// maxRanges bounds the ranges of characters that it tells apart, which are searched for every character of three bytes or more.
	maxRanges = 2048
)

// Errors of Compile. An expression that does not parse has another one, which is what package regexp/syntax says about it.
var (
	// ErrLong: the text of the expression is longer than MaxText.
	ErrLong = fmt.Errorf("it is longer than %d bytes", MaxText)
	// ErrLarge: the expression is short, but comes to too much.
	ErrLarge = errors.New("it is too large once its repetitions are written out")
)

// Pattern is a compiled expression. It is immutable and safe for concurrent use.
type Pattern struct {
	low     [lowRunes]uint8 // class of each character that is one or two bytes long
	ranges  []rune          // first character of each range of the others, sorted; the first is lowRunes
	classes []uint8         // of ranges
	invalid uint8           // class of a byte that is not UTF-8
	width   int             // number of classes
	next    []uint16        // state*width + class -> state
	atEnd   []bool          // by state: the value matches if it ends here
}

// lowRunes is how many characters are one or two bytes long in UTF-8.
const lowRunes = 0x800

// The states that every automaton has.
const (
	start    uint16 = 0
	accepted uint16 = 1 // the value matches, whatever follows
)

// Compile compiles an expression in the syntax of RE2, as package regexp has it. The errors say what is wrong with the
// expression, for a sentence about it. Recent results are kept, so that translation and the data plane can both ask.
func Compile(text string) (*Pattern, error) {
	if len(text) > MaxText {
		return nil, ErrLong
	}
	return results.compile(text)
}

// CompileWhole compiles an expression that must match all of a value. Otherwise it is like Compile.
func CompileWhole(text string) (*Pattern, error) {
	if _, err := Compile(text); err != nil { // by itself, so that "a)(b" is none
		return nil, err
	}
	return results.compile(`\A(?:` + text + `)\z`)
}

func compile(text string) (*Pattern, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
		return nil, errors.New(wrong.Code.String()) // without the text, which may hold anything
	}
	if err != nil {
		return nil, err
	}
	if size(parsed) > MaxProgram {
		return nil, ErrLarge
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > MaxProgram {
		return nil, ErrLarge
	}
	b := newBuilder(program)
	if err := b.build(); err != nil {
		return nil, err
	}
	return b.p, nil
}

// size estimates the instructions of an expression before anything is written out: nested repetitions multiply, and
// 20 bytes can come to a hundred million. It stops counting beyond MaxProgram.
func size(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += size(sub)
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
		class := p.invalid
		if c := value[i]; c < utf8.RuneSelf {
			class = p.low[c]
			i++
		} else {
			r, n := utf8.DecodeRune(value[i:])
			if i += n; n > 1 {
				class = p.classOf(r)
			}
		}
		if state = p.next[int(state)*p.width+int(class)]; state == accepted {
			return true
		}
	}
	return p.atEnd[state]
}

// classOf searches for the range of a character, unless the table has it.
func (p *Pattern) classOf(r rune) uint8 {
	if r < lowRunes {
		return p.low[r]
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

// memory holds the results for the expressions that were compiled last.
type memory struct {
	mu    sync.Mutex
	known map[string]result
}

type result struct {
	pattern *Pattern
	err     error
}

// maxResults bounds the memory. When it is full, it is emptied.
const maxResults = 1024

var results = memory{known: map[string]result{}}

func (m *memory) compile(text string) (*Pattern, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.known[text]; ok {
		return r.pattern, r.err
	}
	if len(m.known) == maxResults {
		clear(m.known)
	}
	var r result
	r.pattern, r.err = compile(text)
	m.known[text] = r
	return r.pattern, r.err
}
