package translate

// Nearest returns the word that needs the fewest edits to become text, or "" if every word needs more than half as many as
// text has bytes.
func Nearest(text string, words []string) string { return nearest(text, words) }

// nearest gives the word that is the fewest edits away from text, "" where all of them are further away than half of
// its length: then nobody meant them.
func nearest(text string, words []string) string {
	best, fewest := "", len(text)/2+1
	for _, word := range words {
		if d := editDistance(text, word); d < fewest {
			best, fewest = word, d
		}
	}
	return best
}

// nearestOf returns the word that is the fewest edits away from text, and their number, by the same rule as nearest. Of
// several at the same distance one for which isPreferred holds wins.
func nearestOf(text string, words []string, isPreferred func(string) bool) (best string, distance int) {
	distance = len(text)/2 + 1
	for _, word := range words {
		if len(word)-len(text) > distance || len(text)-len(word) > distance {
			continue
		}
		d := editDistance(text, word)
		if d < distance || best != "" && d == distance && isPreferred(word) && !isPreferred(best) {
			best, distance = word, d
		}
	}
	return best, distance
}

// didYouMean gives a sentence to add to a message, with its leading space, or nothing.
func didYouMean(text string, words []string) string {
	const longest = 256 // more than any word we have: the distance need not be counted
	if len(text) > longest {
		return ""
	}
	if word := nearest(text, words); word != "" {
		return " Did you mean " + word + "?"
	}
	return ""
}

// editDistance is the number of bytes to insert, delete or replace (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
