/* WordprocessingML (ECMA-376, part 1, 17): the parts that never change, and the document. What they say
 * follows Decree 30/2020, annex I: Times New Roman, black, body 14 with first line 1.27 cm, 6 points
 * after, the page's number centred above, none on the first page (the sections say so). */
#include "export/docx.h"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define W "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\""
#define RELATION "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PARTS "http://schemas.openxmlformats.org/package/2006/"
#define TYPE "application/vnd.openxmlformats-officedocument.wordprocessingml."
#define STYLE(id, paragraph, run)                                                                  \
        "<w:style w:type=\"paragraph\" w:customStyle=\"1\" w:styleId=\"" id                        \
        "\"><w:name w:val=\"" id "\"/><w:basedOn w:val=\"Plain\"/><w:qFormat/><w:pPr>" paragraph   \
        "</w:pPr><w:rPr>" run "</w:rPr></w:style>"
#define SIZE(half) "<w:sz w:val=\"" half "\"/><w:szCs w:val=\"" half "\"/>"
#define CENTER "<w:jc w:val=\"center\"/>"

static const struct {
        const char *name, *text;
} before[] = {
        {"[Content_Types].xml",
         XML "<Types xmlns=\"" PARTS
             "content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd."
             "openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" "
             "ContentType=\"application/xml\"/><Override PartName=\"/word/document.xml\" "
             "ContentType=\"" TYPE
             "document.main+xml\"/><Override PartName=\"/word/styles.xml\" ContentType=\"" TYPE
             "styles+xml\"/><Override PartName=\"/word/settings.xml\" ContentType=\"" TYPE
             "settings+xml\"/><Override PartName=\"/word/fontTable.xml\" ContentType=\"" TYPE
             "fontTable+xml\"/><Override PartName=\"/word/header1.xml\" ContentType=\"" TYPE
             "header+xml\"/><Override PartName=\"/docProps/core.xml\" "
             "ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/>"
             "<Override PartName=\"/docProps/app.xml\" ContentType=\"application/vnd."
             "openxmlformats-officedocument.extended-properties+xml\"/></Types>"},
        {"_rels/.rels",
         XML "<Relationships xmlns=\"" PARTS
             "relationships\"><Relationship Id=\"rId1\" Type=\"" RELATION
             "/officeDocument\" Target=\"word/document.xml\"/><Relationship Id=\"rId2\" "
             "Type=\"" PARTS "relationships/metadata/core-properties\" "
             "Target=\"docProps/core.xml\"/><Relationship Id=\"rId3\" Type=\"" RELATION
             "/extended-properties\" Target=\"docProps/app.xml\"/></Relationships>"},
        {"word/_rels/document.xml.rels",
         XML "<Relationships xmlns=\"" PARTS
             "relationships\"><Relationship Id=\"rIdStyles\" Type=\"" RELATION
             "/styles\" Target=\"styles.xml\"/><Relationship Id=\"rIdSettings\" Type=\"" RELATION
             "/settings\" Target=\"settings.xml\"/><Relationship Id=\"rIdFonts\" Type=\"" RELATION
             "/fontTable\" Target=\"fontTable.xml\"/><Relationship Id=\"rIdPage\" Type=\"" RELATION
             "/header\" Target=\"header1.xml\"/></Relationships>"},
};

static const struct {
        const char *name, *text;
} after[] = {
        {"word/styles.xml", XML
         "<w:styles " W "><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=\"Times New "
         "Roman\" w:hAnsi=\"Times New Roman\" w:eastAsia=\"Times New Roman\" w:cs=\"Times New "
         "Roman\"/>" SIZE(
                 "28") "<w:lang w:val=\"vi-VN\" w:eastAsia=\"vi-VN\" "
                       "w:bidi=\"ar-SA\"/></w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
                       "<w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name "
                       "w:val=\"Normal\"/><w:qFormat/><w:pPr><w:spacing w:after=\"120\"/><w:ind "
                       "w:firstLine=\"720\"/><w:jc w:val=\"both\"/></w:pPr></w:style>"
                       "<w:style w:type=\"paragraph\" w:customStyle=\"1\" "
                       "w:styleId=\"Plain\"><w:name "
                       "w:val=\"Plain\"/><w:qFormat/></w:style>"
                       "<w:style w:type=\"table\" w:default=\"1\" "
                       "w:styleId=\"TableNormal\"><w:name "
                       "w:val=\"Normal Table\"/><w:tblPr><w:tblInd w:w=\"0\" "
                       "w:type=\"dxa\"/><w:tblCellMar>"
                       "<w:top w:w=\"0\" w:type=\"dxa\"/><w:left w:w=\"108\" "
                       "w:type=\"dxa\"/><w:bottom "
                       "w:w=\"0\" w:type=\"dxa\"/><w:right w:w=\"108\" "
                       "w:type=\"dxa\"/></w:tblCellMar>"
                       "</w:tblPr></w:style>" STYLE("Head", CENTER, SIZE("24")) STYLE(
                               "To", "<w:spacing w:after=\"60\"/><w:ind w:left=\"2268\"/>",
                               "") STYLE("Receivers", "", SIZE("22")) STYLE("Center", CENTER,
                                                                            "<w:b/><w:bCs/>")
                               STYLE("Cell",
                                     "<w:spacing w:before=\"20\" w:after=\"20\"/><w:jc "
                                     "w:val=\"right\"/>",
                                     SIZE("24"))
                                       STYLE("CellText",
                                             "<w:spacing w:before=\"20\" w:after=\"20\"/>",
                                             SIZE("24")) STYLE("CellHead",
                                                               "<w:spacing w:before=\"20\" "
                                                               "w:after=\"20\"/>" CENTER,
                                                               "<w:b/><w:bCs/>" SIZE("24"))
                                               STYLE("Foot", "<w:spacing w:before=\"120\"/>",
                                                     "<w:i/><w:iCs/>" SIZE("22")) "</w:styles>"},
        {"word/settings.xml",
         XML "<w:settings " W "><w:zoom w:percent=\"100\"/><w:defaultTabStop w:val=\"720\"/>"
             "<w:characterSpacingControl w:val=\"doNotCompress\"/><w:compat><w:compatSetting "
             "w:name=\"compatibilityMode\" w:uri=\"http://schemas.microsoft.com/office/word\" "
             "w:val=\"15\"/></w:compat><w:themeFontLang w:val=\"vi-VN\"/></w:settings>"},
        {"word/fontTable.xml",
         XML "<w:fonts " W "><w:font w:name=\"Times New Roman\"><w:panose1 "
             "w:val=\"02020603050405020304\"/><w:charset w:val=\"00\"/><w:family w:val=\"roman\"/>"
             "<w:pitch w:val=\"variable\"/></w:font></w:fonts>"},
        {"word/header1.xml",
         XML "<w:hdr " W "><w:p><w:pPr><w:pStyle w:val=\"Plain\"/>" CENTER "</w:pPr><w:r>"
             "<w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText xml:space=\"preserve\"> "
             "PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>"
             "2</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p></w:hdr>"},
};

/* A template escapes what stands in it but takes control characters as they are. */
static int clean(const char *document, size_t n, Buf *out) {
        size_t from = 0;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                if ((unsigned char) document[i] >= ' ' || strchr("\t\n\r", document[i]))
                        continue;
                r = buf_append(out, document + from, i - from);
                from = i + 1;
        }
        return r == 0 ? buf_append(out, document + from, n - from) : r;
}

int docx_make(const PackageInfo *info, const char *document, size_t n, Buf *out) {
        CLEANUP(package_freep) Package *package = NULL;
        CLEANUP(buf_done) Buf xml = BUF_INIT(PACKAGE_MAX);

        int r = package_new(&package);
        if (r == 0)
                r = clean(document, n, &xml);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(before); i++)
                r = package_add(package, before[i].name, before[i].text, strlen(before[i].text));
        if (r == 0)
                r = package_add(package, "word/document.xml", buf_text(&xml), xml.len);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(after); i++)
                r = package_add(package, after[i].name, after[i].text, strlen(after[i].text));
        if (r == 0)
                r = package_add_info(package, info);
        return r == 0 ? package_finish(package, out) : r;
}
