"""Words in dates: months, weekdays, time zones; all in lower case and without accents."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Split lines into a set of names."""
    return frozenset(text.split())


# English, German, French, Spanish, Italian, Portuguese and Dutch, one line a month.
_MONTHS = (
    "january jan januar janner jaenner janvier janv enero ene gennaio gen janeiro januari",
    "february feb februar feber fevrier fevr fev febrero febbraio febb fevereiro februari",
    "march mar marz mrz maerz mars marzo marco maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug aout aou agosto ago augustus",
    "september sep sept septembre septiembre set settembre sett setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez decembre diciembre dic dicembre dezembro",
)
MONTHS = {name: month for month, names in enumerate(_MONTHS, 1) for name in names.split()}

WEEKDAYS = words(
    "monday mon tuesday tue tues wednesday wed weds thursday thu thur thurs friday fri saturday sat sunday sun "
    "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sa sonnabend sonntag so "
    "lundi lun mardi mar mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim "
    "lunes martes miercoles mie jueves jue viernes vie sabado sab domingo dom "
    "lunedi martedi mercoledi giovedi gio venerdi sabato domenica segunda terca ter quarta qua quinta qui sexta sex "
    "maandag ma dinsdag woensdag wo donderdag vrijdag vr zaterdag za zondag zo"
)

# Minutes east of UTC. The American ones are those of RFC 2822.
_ZONES = (
    "z=0 utc=0 gmt=0 ut=0 wet=0 west=60 bst=60 cet=60 mez=60 cest=120 mesz=120 eet=120 eest=180 sast=120 msk=180 "
    "est=-300 edt=-240 cst=-360 cdt=-300 mst=-420 mdt=-360 pst=-480 pdt=-420 akst=-540 akdt=-480 hst=-600 brt=-180 "
    "ist=330 hkt=480 sgt=480 awst=480 jst=540 kst=540 aest=600 aedt=660 nzst=720 nzdt=780"
)
ZONES = {name: int(minutes) for name, minutes in (zone.split("=") for zone in _ZONES.split())}
# Several zones have this name: its reading is reported.
DOUBTFUL_ZONES = {"bst": "UTC+01:00", "cst": "UTC-06:00", "ist": "UTC+05:30"}

# First year less one of the Japanese eras and of the Chinese republic.
ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867, "民國": 1911, "民国": 1911}
