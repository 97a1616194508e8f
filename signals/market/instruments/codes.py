"""The codes that spellings are made of: currencies, metals, coins, indexes, futures, exchanges.

Sources: ISO 4217 (currencies and metals), CME Group's product slate (futures), ISO 10383 and the
suffixes of Yahoo (exchanges).
"""

from decimal import Decimal
from typing import NamedTuple


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CURRENCIES = frozenset(
    _words(
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD "
        "BTN BWP BYN BZD CAD CDF CHF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN "
        "ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR "
        "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL "
        "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN "
        "PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP "
        "STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV "
        "WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
    )
)
METALS = {"XAU": "GOLD", "XAG": "SILVER", "XPT": "PLATINUM", "XPD": "PALLADIUM"}
"""Codes of ISO 4217, with the words that senders of a `commodity` use."""
METAL_NAMES = {name: code for code, name in METALS.items()}

COINS = frozenset(
    _words(
        "1INCH AAVE ADA ALGO APE APT ARB ATOM AVAX AXS BAT BCH BNB BONK BSV BTC CAKE COMP CRO "
        "CRV DAI DASH DOGE DOT DYDX EGLD ENA ENJ ENS EOS ETC ETH FET FIL FLOKI FLOW FTM GALA "
        "GRT HBAR HYPE ICP IMX INJ JASMY JTO JUP KAS KAVA KSM LDO LINK LRC LTC LUNA LUNC MANA "
        "MATIC MKR NEAR NEO NOT ONDO OP ORDI PEPE PENGU POL PYTH QNT RENDER RNDR ROSE RUNE SAND "
        "SEI SHIB SNX SOL SPX STETH STRK STX SUI SUSHI TAO THETA TIA TON TRUMP TRX TWT UNI USDC "
        "USDE USDT VET WBTC WETH WIF WLD XDC XLM XMR XRP XTZ YFI ZEC ZIL ZRX FDUSD TUSD BUSD "
        "PYUSD"
    )
)
"""Without a separator, a base must be one of these or the quote a stablecoin."""
STABLECOINS = ("USDT", "USDC", "FDUSD")
"""Nothing but a coin is quoted in one of these."""
COIN_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "DAI", "BTC", "ETH", "BNB", "USD", "EUR",
               "GBP", "JPY", "AUD", "CAD", "CHF", "BRL", "TRY", "KRW", "INR", "MXN", "PLN",
               "ZAR", "SGD", "HKD", "IDR", "UAH", "ARS", "NGN")  # fmt: skip
"""What coins are quoted in, the longest first where one ends like another."""
COIN_NAMES = {"XBT": "BTC", "XXBT": "BTC", "XETH": "ETH", "XDG": "DOGE", "XXDG": "DOGE",
              "XXRP": "XRP", "XLTC": "LTC", "ZUSD": "USD", "ZEUR": "EUR", "ZGBP": "GBP",
              "ZJPY": "JPY", "ZCAD": "CAD"}  # fmt: skip
"""Other names of coins and of their quotes: those of Kraken and BitMEX."""
LONGEST_STOCK = 5
"""Letters of the longest common ticker in the United States."""

ETFS = frozenset(
    _words(
        "ARKK BITO BND DIA EEM EFA FXI GDX GDXJ GLD GOVT HYG IBIT IEF IJH IJR IVV IWM IYR JEPI "
        "KRE LQD QQQ RSP SCHD SHY SLV SMH SOXL SOXX SPLG SPXL SPXU SPY SQQQ TLT TNA TQQQ TZA "
        "UNG USO UVXY VEA VGK VNQ VOO VT VTI VTV VUG VWO VXUS XBI XLB XLC XLE XLF XLI XLK XLP "
        "XLRE XLU XLV XLY XOP"
    )
)

INDEXES: dict[str, tuple[str, str]] = {
    "SPX": ("XNYS", "GSPC INX SPX500 US500 SP500 SPXUSD"),
    "NDX": ("XNYS", "NAS100 US100 USTEC NDX100 NASDAQ100"),
    "IXIC": ("XNYS", ""),
    "DJI": ("XNYS", "DJIA US30 WS30 DJ30"),
    "RUT": ("XNYS", "US2000"),
    "VIX": ("XNYS", ""),
    "DAX": ("XETR", "GDAXI GER40 DE40 GER30 DE30"),
    "FTSE": ("XLON", "UKX UK100"),
    "CAC": ("XPAR", "FCHI FRA40 FR40 CAC40"),
    "STOXX50E": ("XETR", "SX5E EU50 EUSTX50 ESTX50"),
    "N225": ("XTKS", "NKY NI225 JP225 JPN225"),
    "HSI": ("XHKG", "HK50 HK33"),
}
"""The exchange's calendar of an index, and its other names."""
INDEX_NAMES = {
    other: name for name, (_, others) in INDEXES.items() for other in (name, *others.split())
}
UNMISTAKABLE_INDEXES = frozenset(
    name for name in INDEX_NAMES if any(map(str.isdigit, name))
) | {"SPX", "NDX", "VIX", "DJI", "DJIA", "RUT", "IXIC"}  # fmt: skip
"""Names of indexes that are no stock's."""

GLOBEX = "CMES"
MONTHS = "FGHJKMNQUVXZ"
"""The letters of a future's month, from January to December."""


class Root(NamedTuple):
    """A future's calendar and tick."""

    calendar: str
    tick: Decimal | None = None


def _globex(ticks: str) -> dict[str, Root]:
    pairs = (each.split("=") for each in ticks.split())
    return {root: Root(GLOBEX, Decimal(tick)) for root, tick in pairs}


FUTURES = _globex(
    "ES=0.25 MES=0.25 NQ=0.25 MNQ=0.25 YM=1 MYM=1 RTY=0.1 M2K=0.1 NKD=5 EMD=0.1 "
    "CL=0.01 MCL=0.01 NG=0.001 RB=0.0001 HO=0.0001 QM=0.025 "
    "GC=0.1 MGC=0.1 SI=0.005 SIL=0.005 HG=0.0005 PL=0.1 PA=0.5 "
    "ZB=0.03125 ZN=0.015625 ZF=0.0078125 ZT=0.00390625 UB=0.03125 "
    "6E=0.00005 6B=0.0001 6J=0.0000005 6A=0.00005 6C=0.00005 6S=0.00005 6N=0.00005 6M=0.00001 "
    "ZC=0.25 ZS=0.25 ZW=0.25 ZL=0.01 ZM=0.1 KE=0.25 LE=0.025 GF=0.025 HE=0.025 BTC=5 MBT=5 ETH=0.5 "
    "MET=0.5"
) | {
    "BZ": Root("IEPA", Decimal("0.01")),
    "DX": Root("IEPA", Decimal("0.005")),
    "VX": Root("XCBF", Decimal("0.05")),
}

US, CRYPTO, FUTURE, INDEX, ANY = "US", "crypto", "future", "index", "any"
US_CALENDARS = frozenset({"XNYS", "XNAS", "XASE", "ARCX", "BATS", "NYSE", "NASDAQ"})
_AMERICAN = (
    "NASDAQ NYSE AMEX CBOE NYSEARCA NYSEAMERICAN NYSEMKT ARCA BATS CBOEBZX IEX OTC OTCMKTS XNAS "
    "XNYS XASE ARCX NAS NYS NSQ SMART US_EQ ISLAND"
)
_LISTINGS = {
    US: ("XNYS", "USD", _AMERICAN),
    "L": ("XLON", "GBX", "LSE LON XLON LSIN"),
    "DE": ("XETR", "EUR", "XETR XETRA ETR GETTEX"),
    "F": ("XFRA", "EUR", "FWB FRA XFRA"),
    "PA": ("XPAR", "EUR", "EPA XPAR"),
    "AS": ("XAMS", "EUR", "AMS XAMS"),
    "BR": ("XBRU", "EUR", "EBR XBRU"),
    "MI": ("XMIL", "EUR", "MIL XMIL BIT"),
    "MC": ("XMAD", "EUR", "BME XMAD"),
    "SW": ("XSWX", "CHF", "SIX XSWX"),
    "ST": ("XSTO", "SEK", "OMXSTO XSTO"),
    "HE": ("XHEL", "EUR", "OMXHEX XHEL"),
    "CO": ("XCSE", "DKK", "OMXCOP XCSE"),
    "OL": ("XOSL", "NOK", "OSL XOSL"),
    "VI": ("XWBO", "EUR", "VIE XWBO"),
    "WA": ("XWAR", "PLN", "GPW XWAR"),
    "TO": ("XTSE", "CAD", "TSX XTSE"),
    "V": ("XTSE", "CAD", "TSXV XTSX"),
    "T": ("XTKS", "JPY", "TSE XTKS TYO"),
    "HK": ("XHKG", "HKD", "HKEX HKG XHKG"),
    "SS": ("XSHG", "CNY", "SSE XSHG"),
    "SZ": ("XSHG", "CNY", "SZSE XSHE"),
    "KS": ("XKRX", "KRW", "KRX XKRX"),
    "TW": ("XTAI", "TWD", "TWSE XTAI"),
    "AX": ("XASX", "AUD", "ASX XASX"),
    "NZ": ("XNZE", "NZD", "NZX XNZE"),
    "NS": ("XBOM", "INR", "NSE XNSE"),
    "BO": ("XBOM", "INR", "BSE XBOM"),
    "SI": ("XSES", "SGD", "SGX XSES"),
    "SA": ("BVMF", "BRL", "BMFBOVESPA BVMF"),
    "MX": ("XMEX", "MXN", "BMV XMEX"),
    "JO": ("XJSE", "ZAC", "JSE XJSE"),
}  # fmt: skip
CALENDARS = {suffix: calendar for suffix, (calendar, _, _) in _LISTINGS.items()}
"""The calendar of each exchange, by the suffix that names it: `L` is London."""
SHARE_CURRENCIES = {calendar: currency for calendar, currency, _ in _LISTINGS.values()} | (
    dict.fromkeys(US_CALENDARS, "USD")
)
"""What shares are quoted in, by their exchange's calendar: `GBX` are pence, `ZAC` South African
cents. A few shares are quoted otherwise; the operator's file corrects them."""
US_SUFFIXES = frozenset({"US", "O", "OQ", "N", "PK", "NB", *_LISTINGS[US][2].split()})
"""Suffixes of shares in the United States: those of data vendors and Reuters too."""

_OTHER_VENUES = {
    US: "US NYQ NMS",
    CRYPTO: "X CRYPTO BINANCE BINANCEUS BYBIT OKX OKEX COINBASE GEMINI KRAKEN BITSTAMP BITFINEX "
    "KUCOIN GATEIO GATE MEXC BITGET HUOBI HTX BITMEX DERIBIT POLONIEX BITTREX CRYPTOCOM "
    "HYPERLIQUID UPBIT BITHUMB PHEMEX DYDX CC COINM UM",
    ANY: "FX FX_IDC C OANDA FOREXCOM FXCM ICMARKETS PEPPERSTONE SAXO CAPITALCOM IDEALPRO FOREX "
    "CURRENCY EIGHTCAP FXOPEN",
    INDEX: "I INDEX TVC SP DJ INDEXSP INDEXDJX INDEXNASDAQ INDX",
    FUTURE: "CME CME_MINI CBOT CBOT_MINI COMEX COMEX_MINI NYMEX NYMEX_MINI ICEUS GLBX XCME XCBT "
    "XNYM XCEC CBT NYM CMX",
}
VENUES: dict[str, str] = {
    **{venue: suffix for suffix, (*_, venues) in _LISTINGS.items() for venue in venues.split()},
    **{venue: says for says, venues in _OTHER_VENUES.items() for venue in venues.split()},
}
"""What a prefix such as `NASDAQ:` says: an exchange's suffix, a market of coins, and so on."""
