package pattern

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
)

// expressions are compared with package regexp for all values.
var expressions = []string{
	``, `a`, `^a$`, `a|b`, `^(beta|canary)-\d+$`, `\bx\b`, `\Bx`, `(?i)straße`, `(?i)k+`, `(?s).`, `.`, `^.$`, `(?m)^b$`, `\A\z`, `$`,
	`^`, `[^a-z]`, `\pL+\d`, `\p{Greek}$`, `(a?){3}b`, `(?:\b.?){3}z`, `[[:^alpha:]]\w`, `a{2,3}`, `(a*)*$`, `x*y|z+$`, `\x{10FFFF}`,
	`^\s*(true|1|yes)\s*$`, `[0-9]{1,3}(\.[0-9]{1,3}){3}`, `\PL`, `(?U)a+?b`, `^$|^a`, `[^\x00-\x{10FFFF}]`, `\x{FFFD}`, `ſ`, `(?i)ſ`,
}

var values = []string{
	"", "a", "b", "ab", "beta-1", "beta-", "xbeta-1", "x", " x ", "ax", "STRASSE", "STRAßE", "straſſe", "K", "\u212a", "\n", "a\nb", "b\n",
	"é1", "漢字", "aab", "ab z", "1a", "aaaa", "y", "xyz", "\U0010ffff", "\xff", "\xc3", "a\xffb", " true ", "10.0.0.7", "\x00", "σς", "S", "ſ",
	strings.Repeat("a", 300) + "b",
}

func TestMatch_matchesRegexp(t *testing.T) {
	for _, text := range expressions {
		p, err := Compile(text)
		if err != nil {
			t.Errorf("Compile(%q): %v", text, err)
			continue
		}
		for _, value := range values {
			if got, want := p.Match([]byte(value)), regexp.MustCompile(text).MatchString(value); got != want {
				t.Errorf("%q matches %q: %v, want %v", text, value, got, want)
			}
		}
	}
}

func TestCompileWhole(t *testing.T) {
	for _, text := range expressions {
		p, err := CompileWhole(text)
		if err != nil {
			t.Errorf("CompileWhole(%q): %v", text, err)
			continue
		}
		whole := regexp.MustCompile(`\A(?:` + text + `)\z`)
		for _, value := range values {
			if got, want := p.Match([]byte(value)), whole.MatchString(value); got != want {
				t.Errorf("%q matches all of %q: %v, want %v", text, value, got, want)
			}
		}
	}
	for _, text := range []string{"a)(b", "(", strings.Repeat("a", MaxText+1)} {
		if _, err := CompileWhole(text); err == nil {
			t.Errorf("CompileWhole(%.20q) has no error", text)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for i, text := range expressions {
		f.Add(text, values[i%len(values)])
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		p, err := Compile(text)
		if err != nil || len(value) > MaxValue {
			return
		}
		if got, want := p.Match([]byte(value)), regexp.MustCompile(text).MatchString(value); got != want {
			t.Errorf("%q matches %q: %v, want %v", text, value, got, want)
		}
	})
}

func TestCompile_tooLarge(t *testing.T) {
	for _, text := range []string{
		`((a{0,30}){0,30}){0,30}`, `(((a{1000}){1000}){1000})`, `(ab|cd|ef|gh){100}`, `[01]*1[01]{20}`, `(\pL?\pN?){200}`,
		`(x+x+x+){60}y`, strings.Repeat(`(a?){30}`, 20), strings.Repeat(`(a|`, 40) + strings.Repeat(`)*`, 40) + `{9}{9}`,
	} {
		if _, err := compile(text); err == nil {
			t.Errorf("%q compiles", text)
		}
	}
	if _, err := Compile(strings.Repeat("a", MaxText+1)); !errors.Is(err, errLong) {
		t.Errorf("a long expression: %v", err)
	}
}

func TestMatch_longValue(t *testing.T) {
	p, err := Compile("a")
	if err != nil {
		t.Fatal(err)
	}
	if !p.Match([]byte(strings.Repeat("a", MaxValue))) || p.Match([]byte(strings.Repeat("a", MaxValue+1))) {
		t.Errorf("values of up to %d bytes must match, and no longer ones", MaxValue)
	}
}

// TestCompile_boundedWork counts steps, so that it does not depend on the speed of the machine.
func TestCompile_boundedWork(t *testing.T) {
	const row = 20_000 // maximum number of steps for one row of the automaton, after which the limit is checked
	for _, text := range hostile {
		parsed, err := syntax.Parse(text, syntax.Perl)
		if err != nil || estimateSize(parsed) > MaxProgram {
			continue
		}
		program, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		b := newBuilder(program)
		_ = b.build()
		if b.steps > maxSteps+row || len(b.p.transitions) > maxCells+256 {
			t.Errorf("%q takes %d steps, and %d cells", text, b.steps, len(b.p.transitions))
		}
	}
}

// hostile are the most expensive expressions for package regexp.
var hostile = []string{
	`(x+x+)+y`, `(?:a?){30}b`, `(.*)(.*)(.*)(.*)(.*)(.*)z`, `(?:\b.?){9}z`, `(\pL?){9}\x00`, `(?i)(ж?){20}z`, `[01]*1[01]{6}z`,
	`(\p{Han}?\p{Greek}?){4}\x00`, `(\pL?\pN?){40}`, `[01]*1[01]{20}`, `((a{0,9}){0,9}){0,6}`, `((a{0,30}){0,30}){0,30}`, `((a{0,4}){0,4}){0,4}b`, `(a|b|c|d|e|f)*z$`, `(.?\w?\s?){8}\x00`,
}

func BenchmarkMatch(b *testing.B) {
	for _, unit := range []string{"a", "漢", "\xff", "ж", "1", "a "} {
		value := []byte(strings.Repeat(unit, MaxValue)[:MaxValue])
		for _, text := range hostile {
			p, err := Compile(text)
			if err != nil {
				continue // exceeds the limits
			}
			b.Run(text+"/"+unit, func(b *testing.B) {
				for b.Loop() {
					p.Match(value)
				}
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, text := range append([]string{`^(beta|canary)-\d+$`}, hostile...) {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				_, _ = compile(text)
			}
		})
	}
}
