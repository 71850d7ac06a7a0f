"""Cells of columns of numbers as people and programs write them, and what each of them is.

NOTATIONS: name → the other cells of the column, and cells with their value: a number, `MISSING` (in silence, or told
for the column as a whole), `Told(value)` where the cell itself is told of.
NO_NUMBERS: name → cells of a column that is none of numbers, and a part of what is said of it, empty where nothing is.
"""

from dataclasses import dataclass

MISSING = float("nan")


@dataclass(frozen=True)
class Told:
    value: float = MISSING


POINT = ["0.5", "2.75", "-3.25", "10", "120.5"]
COMMA = ["0,5", "2,75", "-3,25", "10", "120,5"]
US = ["1,234.5", "0.25", "12,345.67", "7"]
GERMAN = ["1.234,5", "0,25", "12.345,67", "7"]
FRENCH = ["1 234,5", "0,25", "12 345,67", "7"]
SWISS = ["1'234.50", "0.25", "12'345.67", "7"]
INDIAN = ["1,23,456.00", "12,34,567.50", "5,000.25"]

NOTATIONS = {
    "point": (
        POINT,
        {"0.942": 0.942, "2.08": 2.08, "1.234": 1.234, "12.500": 12.5, ".5": 0.5, "5.": 5, "-.25": -0.25, "+7.5": 7.5}
        | {"1e3": 1000, "1.5E+10": 1.5e10, "2.5e-3": 0.0025, " 4.5 ": 4.5, "0": 0, "-0": 0, "1234567": 1234567}
        | {"−5.5": -5.5, "–5.5": -5.5, "(5.5)": -5.5, "5.5-": -5.5, "- 5.5": -5.5, "１２.5": 12.5, "٣٫٥": 3.5, "٣": 3}
        | {"0,250": Told(0.25), "12,5": Told(12.5), "1.234,5": Told(1234.5), "1 234": 1234, "1'234": 1234}
        | {"": MISSING, "NA": MISSING, "n/a": MISSING, "N/A": MISSING, "-": MISSING, "?": MISSING, "null": MISSING}
        | {"NaN": MISSING, "#N/A": MISSING, "—": MISSING, "n.b.": MISSING, "k.A.": MISSING, "n. b.": MISSING}
        | {"n.a.": MISSING, "unknown": MISSING, "#NV": MISSING, "#DIV/0!": MISSING, "keine Angabe": MISSING}
        | {
            "н/д": MISSING,
            "缺失": MISSING,
            "не число": Told(),
            "broken at noon": Told(),
            "inf": Told(),
            "-Infinity": Told(),
        }
        | {"1.2.3": Told(), "1..2": Told(), "12:30": Told(), "5 kg": Told(), "2018-12": Told(), "12345-6789": Told()}
        | {"1,2,3": Told(), "(5": Told(), "5)": Told(), "--5": Told(), "-(5)": Told(), "1e5e5": Told(), "0x1F": Told()},
    ),
    "point, whole numbers": (["1", "20", "300", "4000"], {"5000": 5000, "-17": -17, "(17)": -17, "17-": -17, "+4": 4}),
    "thousands by comma": (
        US,
        {"1,234": 1234, "1,234,567": 1234567, "-1,234.5": -1234.5, "(1,234.50)": -1234.5, "1,234-": -1234, "950": 950}
        | {"0.942": 0.942, "1.234": 1.234, "1,234.": 1234, "0,250": Told(0.25), "12,5": Told(12.5)}
        | {"1.234,5": Told(1234.5), "1,23,456": 123456, "1,2345": Told(1.2345), "1,23,45": Told(), "1234.5": 1234.5},
    ),
    "thousands by comma, whole numbers": (
        ["1,234", "567", "12,345", "12", "8"],
        {"1,000": 1000, "999": 999, "100,000": 100000, "-2,500": -2500, "1,234,567,890": 1234567890},
    ),
    "decimal comma": (
        COMMA,
        {"0,942": 0.942, "2,08": 2.08, "1,234": 1.234, "12,500": 12.5, ",5": 0.5, "5,": 5, "-,25": -0.25, "+7,5": 7.5}
        | {"1,5e3": 1500, "1,5E+10": 1.5e10, "−5,5": -5.5, "(5,5)": -5.5, "5,5-": -5.5, "1234567": 1234567, "0": 0}
        | {
            "0.250": Told(0.25),
            "12.5": Told(12.5),
            "1,234.5": Told(1234.5),
            "n.b.": MISSING,
            "NA": MISSING,
            "５,５": 5.5,
        }
        | {"1.234": 1234, "1,2,3": Told(), "k. A.": MISSING, "fehlt": MISSING, "s.o.": MISSING},
    ),
    "decimal comma, thousands by point": (
        GERMAN,
        {"1.234": 1234, "1.234.567": 1234567, "1.234.567,89": 1234567.89, "-1.234,5": -1234.5, "0,942": 0.942}
        | {"1,234": 1.234, "(1.234,50)": -1234.5, "1.234,50-": -1234.5, "0.5": Told(0.5), "1,234.5": Told(1234.5)}
        | {"12.5": Told(12.5), "1.250,-": 1250, "5,-": 5, "5,--": 5, "1.250,–": 1250, "250": 250, "1.23": Told(1.23)},
    ),
    "thousands by space": (
        FRENCH,
        {"1 234": 1234, "1\u00a0234": 1234, "1\u202f234,5": 1234.5, "1\u2009234\u2009567": 1234567, "-1 234,5": -1234.5}
        | {"(1 234,50)": -1234.5, "0,942": 0.942, "1,234": 1.234, "1 234 567,89": 1234567.89, "1 23": Told()}
        | {"0.5": Told(0.5), "1234,5": 1234.5, "−1 234": -1234, "12 34": Told()},
    ),
    "thousands by apostrophe": (
        SWISS,
        {"1'234": 1234, "1’234": 1234, "1’234’567.05": 1234567.05, "-1'234.5": -1234.5, "5.-": 5, "1'250.–": 1250}
        | {"0.942": 0.942, "1.234": 1.234, "(1'234.50)": -1234.5, "0,5": Told(0.5), "5'10": Told()},
    ),
    "thousands in India": (
        INDIAN,
        {"1,00,000": 100000, "10,00,00,000.00": 1e8, "5,000": 5000, "99": 99, "-1,23,456": -123456},
    ),
    "dollars": (
        ["$1,234.50", "$5", "-$7.25"],
        {"-$5": -5, "$-5": -5, "$ -5": -5, "($5)": -5, "$(5)": -5, "$5-": -5, "$1,200": 1200, "5": 5, "USD 5": 5}
        | {
            "5 USD": 5,
            "5 usd": 5,
            "US$5": 5,
            "$ 5.00": 5,
            "5$": 5,
            "+$5": 5,
            "−$5": -5,
            "($1,234.50)": -1234.5,
            "$.50": 0.5,
        }
        | {"$1,234,567.89": 1234567.89, "€5": Told(), "5 GBP": Told(), "$5%": Told(), "n/a": MISSING, "$": Told()},
    ),
    "euros": (
        ["1.234,50 €", "5 €", "-7,25 €"],
        {"5,00 €": 5, "€ 5,00": 5, "EUR 5": 5, "5 EUR": 5, "5 Euro": 5, "-5,00 €": -5, "5,00- €": -5, "5,00 €-": -5}
        | {"(5,00 €)": -5, "1.250 €": 1250, "5\u00a0€": 5, "5,00": 5, "$5": Told(), "1 234,50 €": 1234.5},
    ),
    "other currencies, before": (["R$ 1.234,56", "R$ 5,10"], {"R$ 1.000,00": 1000, "-R$ 5,10": -5.1, "BRL 7,50": 7.5}),
    "other currencies, after": (["5 kr", "1 250,50 kr"], {"7 kr.": 7, "kr 5": 5, "kr. 1 000": 1000, "-5 kr": -5}),
    "rupees": (["Rs. 500", "Rs 1,23,456.50"], {"Rs. 1,000": 1000, "₹ 5": 5, "INR 7.5": 7.5}),
    "roubles": (["1 234,50 ₽", "5,25 ₽"], {"100 руб.": 100, "7 RUB": 7, "5,5 р.": 5.5}),
    "yuan": (["5.5万元", "120元"], {"3万元": 30000, "2亿元": 2e8, "80 元": 80, "CNY 7": 7}),
    "yen": (["¥1,200", "￥3,500"], {"¥5": 5, "１２００円": 1200, "JPY 7": 7}),
    "millions": (
        ["$765,472M", "$1.5B", "$900K"],
        {
            "$3bn": 3e9,
            "$2.5 million": 2.5e6,
            "$7k": 7000,
            "-$5M": -5e6,
            "($5M)": -5e6,
            "$12": 12,
            "$5m": 5e6,
            "$5 mn": 5e6,
        },
    ),
    "Mio. and Mrd.": (
        ["5,5 Mio. €", "1,25 Mrd. €"],
        {"7 Mio €": 7e6, "3 Mrd €": 3e9, "2 Tsd. €": 2000, "1,5 Millionen": Told(), "250 €": 250},
    ),
    "k and M": (["1.5k", "2M", "900", "15K"], {"3k": 3000, "2.5M": 2.5e6, "7": 7, "5m": Told(), "5q": Told()}),
    "percent": (
        ["5%", "12.5%", "80 %"],
        {"84.7%": 84.7, "100%": 100, "-5%": -5, "(5%)": -5, "(5)%": -5, "%7": 7, "5\u202f%": 5, "٥٪": 5}
        | {"12": Told(), "n/a": MISSING, "5％": 5},
    ),
    "percent, decimal comma": (
        ["5,5 %", "12,25 %"],
        {"84,7%": 84.7, "1,234 %": 1.234, "12": Told(), "50.5%": Told(50.5)},
    ),
    "fractions with some percent": (
        ["0.764", "0.5", "0.12", "0.99", "50%", "0.3", "0.25", "0.81", "0.05", "0.01", "0.33"],
        {"84.7%": 0.847, "5%": 0.05, "0.2": 0.2, "-3%": -0.03, "120%": 1.2, "47": Told(), "1": 1, "0": 0},
    ),
    "few percent among numbers": (
        ["12", "55", "80.5", "31", "7", "9", "44", "61"],
        {"84.7%": Told(), "50": 50, "0.5": 0.5},
    ),
    "few numbers among percent": (["12%", "55%", "80.5%", "31%", "7%", "9%"], {"84.7": Told(), "50%": 50}),
    "limits": (
        ["<5", "7.5", "12", "33", ">100", "8"],
        {"<0.5": 0.5, "< 5": 5, "≤5": 5, ">=20": 20, "≥ 20": 20, "50+": 50, "less than 5": 5, "over 90": 90, "9": 9}
        | {
            "＜5": 5,
            "<5%": Told(),
            "~7": Told(7),
            "ca. 7": Told(7),
            "about 7": Told(7),
            "≈7": Told(7),
            "<LOD": MISSING,
        },
    ),
    "limits, decimal comma": (["<0,5", "0,7", "1,2", "3,3", "8"], {"<1,25": 1.25, ">10": 10, "0,9": 0.9}),
    "litres": (
        ["8,3 l", "6,9 l", "12,0 l", "7 l"],
        {
            "9,15 l": 9.15,
            "5,5": 5.5,
            "5.5 l": Told(5.5),
            "5,5 kg": Told(),
            "k.A.": MISSING,
            "-1,5l": -1.5,
            "viel": Told(),
        },
    ),
    "kilometres, thousands with a point": (["164.289 km", "9.500 km", "1.203.000 km"], {"820.000 km": 820_000}),
    "terms of loans": ([" 36 months", " 60 months"], {"1 month": 1, "48 months ": 48, "12": 12, "2 years": Told()}),
    "years at work": (["10+ years", "3 years", "< 1 year", "7 years", "1 year"], {"10+ years": 10, "< 1 year": 1}),
    "degrees": (["36.6°C", "41 °C", "38.2°C"], {"37.5 °C": 37.5, "37.5": 37.5, "99 °F": Told()}),
    "millimetres": (["12 mm", "3.5 mm", "120mm"], {"7 mm": 7, "7": 7}),
    "square metres": (["50 m²", "120 m²", "75,5 m²", "66 m2"], {"80 m²": 80}),
    "litres per distance": (
        ["7,0 l/100km", "9,8 l/100 km", "12,4 l/100km"],
        {"5,5 l/100km": 5.5, "5,5 L/100KM": 5.5, "6,1": 6.1, "31 mpg": Told(), "5,5 l": Told(), "7 km": Told()},
    ),
    "rent": (
        ["18,72 €/m²", "9,50 €/m²", "1.250,00 €/m²"],
        {"12,25 € / m²": 12.25, "12,25 EUR/m2": 12.25, "7,5": 7.5, "12,25 $/m²": Told(), "7 €": 7, "7 m²": Told()},
    ),
    "price before, quantity behind": (["€5.20/kg", "€12.75/kg", "€0.90/kg"], {"€7/kg": 7, "€7": 7, "$7/kg": Told()}),
    "a unit in any case": (
        ["5 km", "120 KM", "33.5 km", "7 Km"],
        {"50 KM": 50, "50 kM": 50, "50 m": Told(), "50 mm": Told()},
    ),
    "a unit in another case at prediction": (
        ["5 kg", "120 kg", "33.5 kg"],
        {"50 KG": 50, "50 Kg.": 50, "50 g": Told()},
    ),
    "a unit whose small letters are more": (["3 fuß", "4 Fuß", "5 FUSS", "7 fuß"], {"6 Fuss": 6, "6 Fuß": 6}),
    "milliwatts": (["5 mW", "120 mW", "33.5 mW"], {"50 MW": Told(), "50 mw": 50}),
    "megabits": (["5 Mb", "120 Mb", "33.5 Mb"], {"50 MB": Told()}),
    "metres": (["5 m", "120 m", "33.5 m"], {"50 M": Told()}),
    "speeds": (["5 km/h", "120 km/h", "33.5 km/h"], {"50 km/h": 50, "50 mph": Told()}),
    "measured ranges": (
        ["20", "35", "60", "85", "90", "41", "52", "77"],
        {"91-92": Told(91.5), "40 - 50": Told(45), "40–50": Told(45), "40 to 50": Told(45), "40 bis 50": Told(45)},
    ),
    "points and commas": (
        ["1,5", "2.5", "7.25", "8.75", "3"],
        {"12,5": Told(12.5), "12.5": 12.5, "1,234": Told(), "1.234": Told(), "1.234,5": Told(1234.5), "400": 400},
    ),
}

NO_NUMBERS = {
    "dollars and yen": (["$5", "¥700", "$7", "¥900", "$9", "¥50"], "table.currency"),
    "euros and pounds by code": (["EUR 5", "7 GBP", "9 EUR", "GBP 11"], "currencies"),
    "ZIP+4": (["02139-4307", "94103-1234", "02139-4301", "60601-7777"], "02139-4307"),
    "ZIP and ZIP+4": (["02139", "94103-1234", "60601", "60601-7777", "10001", "94110"], "not read as"),
    "telephone numbers": (["555-1000", "555-2300", "555-0199", "555-7788"], "555-1000"),
    "telephone numbers with an area": (["(030) 123456", "(040) 987654", "(089) 555555"], "two numbers"),
    "international telephone numbers": (["+49 171 1234567", "+44 20 7946 0958", "+1 650 253 0000"], "two numbers"),
    "telephone numbers in groups": (["612 345 678", "600 123 456", "699 000 111"], "look like codes"),
    "scores": (["1-4", "2-2", "0-3", "4-1", "3-3"], "two numbers"),
    "fractions of a cake": (["1/2", "3/4", "1/4", "2/3"], "two numbers"),
    "leading zeros": (["003", "017", "120", "008"], "look like codes"),
    "postcodes": (["01099", "10115", "04109", "80331"], "look like codes"),
    "postcodes with letters": (["12345", "M7A1A", "54321", "99999", "K1A0B", "20095"], "M7A1A"),
    "long identifiers": (["12345678901234567890", "98765432109876543210", "11111111112222222222"], "look like codes"),
    "lots": (["1E10", "10E9", "3E5", "100"], "look like codes"),
    "house numbers": (["1", "2", "12B", "7A", "9", "3C"], "look like codes"),
    "centimetres and millimetres": (["7cm", "11mm", "5cm", "30mm"], "write them all in one unit"),
    "milliwatts and megawatts": (["7 mW", "11 MW", "5 mW", "30 MW"], "one unit"),
    "megabits and megabytes": (["7 Mb", "11 MB", "5 Mb", "30 MB"], "one unit"),
    "metres and M": (["7 m", "11 M", "5 m", "30 M", "8 m"], "one unit"),
    "grams and G": (["7 g", "11 G", "5 g", "30 G", "8 g"], "the unit 'g'"),
    "seconds and S": (["7 s", "11 S", "5 s", "30 S", "8 s"], "the unit 's'"),
    "three units": (["7 kg", "11 Stück", "5 PS", "30 kg", "4 Stück", "3 PS"], "one unit"),
    "two measures of fuel": (["7,1 l/100km", "33 mpg", "5,5 l/100km", "41 mpg"], "one unit"),
    "weights among many words": (
        ["7 kg", "heavy", "11 kg", "light", "5 kg", "very heavy", "8 kg", "9 kg"],
        "the unit 'kg'",
    ),
    "memory": (["16GB", "1TB", "512GB", "2TB"], "write them all in one unit"),
    "places in a race": (["1st", "2nd", "3rd", "4th"], ""),
    "flats": (["12C", "7C", "9C", "10C"], ""),
    "drives": (["4x4", "4x2", "6x4"], ""),
    "bins": (["0-9", "10-19", "20-29", "30-39"], ""),
    "age groups": (["<18", "18-24", "25-34", "35-64", "65+"], ""),
    "income": (["<=50K", ">50K", "<=50K", "<=50K"], ""),
    "grades": (["1", "2", "3", "A", "B"], ""),
    "times": (["12:30", "08:15", "23:59"], "times of day"),
    "addresses": (["192.168.1.1", "10.0.0.12", "172.16.4.200"], ""),
    "patients and segments": (["100_123", "101_456", "203_001"], ""),
    "kinds": (["float32", "uint8", "float32", "int16"], ""),
    "versions": (["1.2.3", "1.10.0", "2.0.1"], ""),
}
